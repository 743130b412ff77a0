"""An ordinary user of this machine, whom a test that runs as root becomes; any other test is one already."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bed.clusters import MAJORS, ROOT, tools_of
from pgtend.postgres.accounts import Account, server_account


def as_ordinary_user(*argv: str) -> tuple[str, ...]:
    """Give the command that runs another one with no right of root's: only walls of its own making shut it in."""
    account = server_account()
    if account is None:
        return argv
    become = ("setpriv", *account.setpriv_options, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")
    return ("bwrap", "--dev-bind", "/", "/", *_opened(account, _needed()), *become, "--", *argv)


def give(path: Path) -> None:
    """Give a folder with all that is in it to the ordinary user."""
    account = server_account()
    for one in (path, *path.rglob("*")) if account else ():
        account.own(one)


def environment(place: Path) -> dict[str, str]:
    """Describe a home of its own to whoever works in a folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    paths = os.pathsep.join((str(ROOT / "tests"), str(ROOT)))
    servers = ",".join(f"{major}:{tools_of(major).folder}" for major in MAJORS)
    own = {"HOME": str(place), "TMPDIR": str(place), "PYTHONPATH": paths, "PGTEND_PG_BINDIRS": servers}
    return {**kept, **own, "XDG_CACHE_HOME": str(_cache(os.getpid())), "PYTHONDONTWRITEBYTECODE": "1"}


@functools.cache
def _cache(_of_process: int) -> Path:
    """Keep what is made once, such as templates of servers, for all ordinary users of this run of tests."""
    folder = Path(tempfile.mkdtemp(prefix="pgtend-ordinary-"))
    atexit.register(shutil.rmtree, folder)
    give(folder)
    return folder


def _needed() -> set[Path]:
    """List the folders without which our own code cannot run."""
    servers = (tools_of(major).folder.parent.resolve() for major in MAJORS)
    return {ROOT, Path(sys.prefix), Path(sys.base_prefix), *servers}


def _opened(account: Account, needed: Iterable[Path]) -> Iterator[str]:
    """Show what is needed of a folder that is closed to others, as root's home is, and nothing else of it."""
    wanted = sorted(needed)
    closed = {_closed(path, account): path for path in wanted}
    for folder in sorted(filter(None, closed)):
        yield from ("--tmpfs", str(folder))
        for path in wanted:
            if path.is_relative_to(folder):
                yield from ("--ro-bind", str(path), str(path))


def _closed(path: Path, account: Account) -> Path | None:
    """Find the outermost folder on the way that the account may not enter."""
    ways = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
    return next((folder for folder in ways if folder.stat().st_uid != account.uid), None)
