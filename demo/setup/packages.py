"""Debian packages: look at what is there, install what is missing, or say the one line to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from say import give_up, run, step

DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")
OLDEST_POSTGRESQL = 15


@dataclass(frozen=True)
class Need:
    """Something the machine must offer, and the package that brings it."""

    package: str
    is_there: Callable[[], bool]


def has_postgresql() -> bool:
    """Tell whether a server that is new enough, with its contrib modules, is installed."""
    return any(
        (folder / "bin" / "postgres").exists() and folder.name.isdigit() and int(folder.name) >= OLDEST_POSTGRESQL
        for folder in DEBIAN_POSTGRESQL.glob("*")
    )


def has_command(*names: str) -> Callable[[], bool]:
    """Tell whether any of these commands is on the path."""
    return lambda: any(shutil.which(name) for name in names)


def has_font() -> bool:
    """Tell whether a browser would find letters to draw."""
    return any(Path("/usr/share/fonts").rglob("*.ttf"))


def has_hypopg() -> bool:
    """Tell whether the oldest server that is tested can be asked about indexes that are not there."""
    return Path(f"/usr/share/postgresql/{OLDEST_POSTGRESQL}/extension/hypopg.control").exists()


FOR_THE_DEMO = (
    Need("postgresql", has_postgresql),
    Need("openssl", has_command("openssl")),
    # The walls of restore drills; without it they are built by util-linux alone.
    Need("bubblewrap", has_command("bwrap")),
)
FOR_THE_BROWSER = (
    Need("chromium-headless-shell", has_command("chromium-headless-shell", "chromium", "chromium-browser")),
    Need("fonts-dejavu-core", has_font),
)
FOR_THE_TESTS = (
    *FOR_THE_DEMO,
    *FOR_THE_BROWSER,
    # Whoever has only these must be able to open a backup.
    Need("age", has_command("age")),
    Need("zstd", has_command("zstd")),
    Need("redis-server", has_command("redis-server")),
    Need("npm", has_command("npm")),
    Need("git", has_command("git")),
    Need(f"postgresql-{OLDEST_POSTGRESQL}-hypopg", has_hypopg),
)


def install_missing(needs: Iterable[Need]) -> None:
    """Install the packages that are missing, when we may; otherwise stop with the line to run."""
    missing = [need.package for need in needs if not need.is_there()]
    if missing:
        install(missing)
        check_postgresql(missing)


def install(packages: list[str]) -> None:
    """Install packages with apt-get."""
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        give_up("these are missing and there is no apt-get here", *packages)
    if os.geteuid() != 0:
        give_up("Debian packages are missing. Run this line, then make again:", f"sudo sh -c '{line}'")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(packages)}"):
        leave_no_cluster_behind()
        run(("apt-get", "update", "-q"), env=quiet)
        run(("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages), env=quiet)


def leave_no_cluster_behind() -> None:
    """Keep Debian's package from starting a server of its own, which would only hold port 5432."""
    settings = Path("/etc/postgresql-common/createcluster.d/pgtend-demo.conf")
    if not has_postgresql() and not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("create_main_cluster = false\n")


def check_postgresql(installed: list[str]) -> None:
    """Say so when the distribution's PostgreSQL is too old."""
    if "postgresql" in installed and not has_postgresql():
        give_up(
            f"this distribution's PostgreSQL is older than {OLDEST_POSTGRESQL}",
            "Use Debian 12 or newer, Ubuntu 24.04 or newer, or install a newer postgresql package yourself.",
        )
