"""Airflow's own database, made once a machine and copied after that: its migrations take longer than most tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from bed.clusters import tools_of

_MAKE: Final = "from airflow.utils.db import initdb; initdb()"


def make_sqlite(path: Path) -> None:
    """Put a migrated database where the environment says that it is."""

    def make(target: Path) -> None:
        # In a process of its own: its migrations warn of things that are not ours.
        subprocess.run([sys.executable, "-c", _MAKE], check=True, capture_output=True)
        shutil.copy(path, target)

    shutil.copy(_kept("airflow.db", make), path)


def fill_metadata(address: str, migrate: Callable[[], object]) -> None:
    """Fill an empty database of PostgreSQL 15 with Airflow's tables: as they were kept, or by `migrate`."""
    is_new: list[Path] = []

    def make(target: Path) -> None:
        migrate()
        _client("pg_dump", address, "--no-owner", "--no-privileges", "--file", str(target))
        is_new.append(target)

    kept = _kept("metadata.sql", make)
    if not is_new:
        _client("psql", address, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file", str(kept))


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """Give a file of this Airflow, made when it is asked for first; whoever makes it at the same time does no harm."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgtend" / "airflow"
    kept = folder / f"{_versions()}-{name}"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            make(Path(aside) / name)
            (Path(aside) / name).replace(kept)
    return kept


@cache
def _versions() -> str:
    """Tell this Airflow from any other: a provider may bring tables of its own."""
    found = sorted(f"{one.name} {one.version}" for one in distributions() if one.name.startswith("apache-airflow"))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _client(program: str, address: str, *options: str) -> None:
    """Run a client of PostgreSQL, with the password where nobody else reads it."""
    url = urlsplit(address)
    asked = dict(parse_qsl(url.query))
    reached = {
        "PGHOST": asked.get("host") or url.hostname or "",
        "PGPORT": asked.get("port") or str(url.port),
        "PGDATABASE": url.path.lstrip("/"),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
    }
    argv = (str(tools_of(15).path(program)), *options)
    done = subprocess.run(argv, env={**os.environ, **reached}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
