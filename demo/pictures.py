"""Take the screenshots of docs/pictures from the running demo: `make pictures`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from demo.runtime.api import Api, Run
from demo.runtime.places import DemoProblem, Places
from demo.runtime.ports import read_ports
from demo.runtime.secret_words import SecretWords

LARGEST = 300 * 1024
DESK, PHONE, SHEET = (1440, 900), (390, 844), (900, 1150)
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
# A sandbox of its own needs rights that root gives up; /dev/shm is tiny in containers.
FLAGS = ("--disable-dev-shm-usage", *(("--no-sandbox",) if os.geteuid() == 0 else ()))
PATIENCE = 120


@dataclass(frozen=True)
class Shot:
    """One picture: where, how large, in which themes, and what is clicked first."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    schemes: tuple[str, ...] = ("light",)
    then: Callable[[Page], object] = lambda page: page.wait_for_timeout(0)


def ordinary(analyze: Run) -> tuple[Shot, ...]:
    """Name the pages worth a picture on a day on which all is well."""
    return (
        Shot("fleet", "/plugin/pgtend", schemes=("light", "dark")),
        Shot("phone", "/plugin/pgtend", PHONE, ("light", "dark")),
        Shot("why", "/plugin/pgtend", then=say_why),
        Shot("database", "/plugin/pgtend/kgc", schemes=("light", "dark")),
        Shot("database-phone", "/plugin/pgtend/kgc", PHONE, ("light", "dark")),
        Shot("inside", "/plugin/pgtend/kgc/drills", then=look_inside),
        Shot("health", "/plugin/pgtend/kgc/health"),
        Shot("statements", "/plugin/pgtend/vaxtrace/statements"),
        Shot("api", "/plugin/pgtend/fleet/api"),
        Shot("pipelines", "/dags?tags=analyze"),
        Shot("log", f"/dags/{analyze.dag_id}/runs/{analyze.run_id}/tasks/analyze", then=read_to_the_end),
    )


BROKEN = (
    Shot("broken", "/plugin/pgtend", schemes=("light", "dark")),
    Shot("alerts", "/plugin/pgtend/fleet/alerts"),
)


def say_why(page: Page) -> None:
    """Press the cell of what got slower."""
    page.get_by_role("button", name="vaxtrace, Statements").click()


def read_to_the_end(page: Page) -> None:
    """Wait for the log: on a busy machine it comes after everything else."""
    page.get_by_text(re.compile(r"kgc: \d+ proved")).wait_for()


def look_inside(page: Page) -> None:
    """Open the newest drill."""
    page.get_by_role("button", name="Look inside").first.click()
    page.get_by_text("its signature holds").wait_for()


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


@dataclass(frozen=True)
class Studio:
    """The running demo, a browser before it, and the folder of the pictures."""

    places: Places
    api: Api
    browser: Browser
    console: Console

    def take(self, shots: tuple[Shot, ...]) -> None:
        """Take pictures of pages, as a person who is logged in and has chosen a theme."""
        for shot in shots:
            for scheme in shot.schemes:
                page = self.window(scheme, shot.size)
                page.context.add_cookies([{"name": "_token", "value": self.api.token, "url": self.api.url}])
                page.goto(self.api.url + shot.path)
                page.wait_for_load_state("networkidle")
                # Our pages come from modules that are fetched after Airflow's own: their bones are no picture.
                if "/plugin/" in shot.path:
                    page.locator("#pgtend").wait_for()
                    page.wait_for_function("document.querySelectorAll('#pgtend [aria-busy]').length === 0")
                shot.then(page)
                self.keep(page, f"{shot.name}-{scheme}" if len(shot.schemes) > 1 else shot.name)

    def take_receipt(self) -> None:
        """Take a picture of the page that an auditor gets."""
        drills = self.api.http.get("/pgtend/api/v1/databases/kgc/drills").json()["items"]
        answer = self.api.http.get(f"/pgtend/api/v1/databases/kgc/receipts/{drills[0]['run_id']}/page")
        page = self.window("light", SHEET)
        page.set_content(answer.text)
        self.keep(page, "receipt")

    def window(self, scheme: str, size: tuple[int, int]) -> Page:
        """Open a window."""
        viewport = {"width": size[0], "height": size[1]}
        context = self.browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type] - two words
        context.add_init_script(f"try {{ localStorage.setItem('theme', '{scheme}') }} catch {{}}")
        return context.new_page()

    def keep(self, page: Page, name: str) -> None:
        """Wait until a page has settled, and keep what it looks like."""
        page.wait_for_timeout(1500)
        file = self.places.root / "docs" / "pictures" / f"{name}.png"
        page.screenshot(path=file)
        page.context.close()
        if file.stat().st_size > LARGEST:
            raise DemoProblem(f"{file} has {file.stat().st_size} bytes, more than {LARGEST}")
        self.console.print(f"  docs/pictures/{file.name}")

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Take a right away, let a run fail of it, and mend it again."""
        self.shell('psql -q "service=demo_admin dbname=kgc" -c "REVOKE kgc_owner FROM pgtend"')
        try:
            self.run("kgc.analyze", "failed")
            yield
        finally:
            self.shell('psql -q "service=demo_admin dbname=kgc" -c "GRANT kgc_owner TO pgtend"')
            self.run("kgc.analyze", "success")

    def run(self, dag_id: str, wanted: str) -> None:
        """Start a pipeline and see it end as it should."""
        run, deadline = self.api.trigger(dag_id), time.monotonic() + PATIENCE
        while run.state not in {"success", "failed"} and time.monotonic() < deadline:
            time.sleep(1)
            (run,) = self.api.look_again([run])
        if run.state != wanted:
            raise DemoProblem(f"{dag_id} is {run.state}, not {wanted}")

    def shell(self, command: str) -> None:
        """Run a command as a person does who follows the tutorial."""
        line = f'. "{self.places.shell}" && {command}'
        subprocess.run(("/bin/sh", "-c", line), cwd=self.places.root, check=True)


def main() -> None:
    """Take every picture anew."""
    places = Places.here()
    api = Api(f"http://127.0.0.1:{read_ports(places)['ui']}")
    api.log_in("admin", SecretWords(places)["admin"])
    analyze = api.newest_run("kgc.analyze")
    if analyze is None:
        raise DemoProblem("kgc.analyze has not run yet", "make demo runs it")
    shutil.rmtree(places.root / "docs" / "pictures", ignore_errors=True)
    (places.root / "docs" / "pictures").mkdir()
    with chromium() as browser:
        studio = Studio(places, api, browser, Console())
        studio.take(ordinary(analyze))
        studio.take_receipt()
        with studio.broken():
            studio.take(BROKEN)


if __name__ == "__main__":
    main()
