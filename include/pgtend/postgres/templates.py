"""Fresh data folders by copying one that initdb made before: a tenth of the time.

A template belongs to one version of the programs. Whoever makes a new one throws away those that nobody copied lately.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.postgres.accounts import Account
from pgtend.postgres.command import Command
from pgtend.postgres.leftovers import Kind, claimed_folder
from pgtend.postgres.process import run
from pgtend.postgres.tools import ClientTools

_PATIENCE = timedelta(minutes=3)
_UNUSED = timedelta(days=30)
_OPTIONS = (
    "--username=postgres",
    # Every rule of access is replaced before a server starts; until then nobody gets in.
    "--auth=reject",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)
_CHECKSUMS_BY_DEFAULT_SINCE = 18


def copy_of_template(tools: ClientTools, account: Account | None, target: Path, *, page_checksums: bool = True) -> None:
    """Make a data folder as initdb does."""
    template = _cached(tools, account, _options(tools, page_checksums=page_checksums))
    run(Command(argv=("cp", "-a", "--reflink=auto", str(template), str(target))), within=_PATIENCE)


def _options(tools: ClientTools, *, page_checksums: bool) -> tuple[str, ...]:
    if page_checksums:
        return (*_OPTIONS, "--data-checksums")
    return (*_OPTIONS, "--no-data-checksums") if tools.major >= _CHECKSUMS_BY_DEFAULT_SINCE else _OPTIONS


def _cached(tools: ClientTools, account: Account | None, options: tuple[str, ...]) -> Path:
    owner = account.name if account else ""
    key = sha256_hex(canonical_json([tools.version_text, str(tools.folder), owner, *options]))[:16]
    # In our own cache and not under a predictable name in /tmp, where anybody could plant a prepared one.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgtend" / "templates"
    template = cache / f"{tools.major}-{key}"
    try:
        # What is about to be copied is in use.
        os.utime(template)
    except FileNotFoundError:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_unused(cache)
        _make(tools, account, template, options)
    return template


def _forget_unused(cache: Path) -> None:
    for kept in cache.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - kept.stat().st_mtime > _UNUSED.total_seconds():
                shutil.rmtree(kept, ignore_errors=True)


def _make(tools: ClientTools, account: Account | None, template: Path, options: tuple[str, ...]) -> None:
    with (
        claimed_folder(kind=Kind.INITDB) as built,
        tempfile.TemporaryDirectory(prefix="copying-", dir=template.parent) as aside,
    ):
        if account:
            account.own(built)
            account.must_reach(tools.folder / "initdb")
        data = built / "data"
        run(Command(argv=(tools.path("initdb"), "-D", str(data), *options), account=account), within=_PATIENCE)
        copied = Path(aside) / "data"
        run(Command(argv=("cp", "-a", str(data), str(copied))), within=_PATIENCE)
        try:
            copied.rename(template)
        except OSError:
            # Somebody else was faster, and theirs is as good as ours.
            if not template.exists():
                raise
            shutil.rmtree(copied)
