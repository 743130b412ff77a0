"""Take the screenshots of docs/pictures from the running demo, light and dark: `make pictures`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from demo.runtime.api import Api, Run
from demo.runtime.places import DemoProblem, Places
from demo.runtime.ports import read_ports
from demo.runtime.secret_words import SecretWords

LARGEST = 300 * 1024
SCHEMES = ("light", "dark")
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
# A sandbox of its own needs rights that root gives up; /dev/shm is tiny in containers.
FLAGS = ("--disable-dev-shm-usage", *(("--no-sandbox",) if os.geteuid() == 0 else ()))

# The picture for which the pipeline's own documentation is opened.
DOCUMENTED = "page"


def views(run: Run) -> dict[str, str]:
    """Name the pages worth a picture."""
    one = f"/dags/{run.dag_id}"
    return {
        "home": "/",
        "fleet": "/plugin/pgtend",
        "database": f"/plugin/pgtend/{run.dag_id.partition('.')[0]}",
        "backups": f"/plugin/pgtend/{run.dag_id.partition('.')[0]}/backups",
        "drills": f"/plugin/pgtend/{run.dag_id.partition('.')[0]}/drills",
        "health": f"/plugin/pgtend/{run.dag_id.partition('.')[0]}/health",
        "statements": f"/plugin/pgtend/{run.dag_id.partition('.')[0]}/statements",
        "pipelines": "/dags?tags=analyze",
        "runs": f"{one}/runs/{run.run_id}",
        "page": one,
        "log": f"{one}/runs/{run.run_id}/tasks/analyze",
    }


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of the distribution."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise DemoProblem("there is no Chromium to draw with", "apt-get install chromium-headless-shell")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def open_page(browser: Browser, address: str, token: str, scheme: str) -> Page:
    """Open a page as a person who is logged in and has chosen a theme."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    context.add_cookies([{"name": "_token", "value": token, "url": address}])
    context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    return context.new_page()


def take(page: Page, address: str, file: Path) -> None:
    """Wait until a page has settled and keep what it looks like."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    # Our pages come from modules that are fetched after Airflow's own: their bones are no picture.
    if "/plugin/" in address:
        page.locator("#pgtend").wait_for()
        page.wait_for_function("document.querySelectorAll('#pgtend [aria-busy]').length === 0")
    if file.stem.startswith(DOCUMENTED):
        page.get_by_role("button", name="Dag Docs").click()
    page.wait_for_timeout(1500)
    page.screenshot(path=file)
    if file.stat().st_size > LARGEST:
        raise DemoProblem(f"{file} has {file.stat().st_size} bytes, more than {LARGEST}")


def main() -> None:
    """Take every picture in both themes."""
    console, places = Console(), Places.here()
    address = f"http://127.0.0.1:{read_ports(places)['ui']}"
    api = Api(address)
    api.log_in("admin", SecretWords(places)["admin"])
    run = api.newest_run("kgc.analyze")
    if run is None:
        raise DemoProblem("kgc.analyze has not run yet", "make demo runs it")
    folder = places.root / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for scheme in SCHEMES:
            page = open_page(browser, address, api.token, scheme)
            for name, path in views(run).items():
                take(page, address + path, folder / f"{name}-{scheme}.png")
                console.print(f"  docs/pictures/{name}-{scheme}.png")


if __name__ == "__main__":
    main()
