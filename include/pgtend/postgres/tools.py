"""PostgreSQL's own client tools, of exactly the server's major version."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pgtend.kernel.errors import Misconfigured

# Debian, then the packages of the PostgreSQL project for Red Hat, then the official container image.
_WELL_KNOWN = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/usr/local/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


class ToolMissing(Misconfigured):
    """A client tool of the server's major version is not installed."""

    code = "postgres.tool_missing"


@dataclass(frozen=True, slots=True)
class ClientTools:
    """The folder that holds the tools of one major version."""

    major: int
    folder: Path

    @classmethod
    def find(cls, major: int, environment: Mapping[str, str] | None = None) -> ClientTools:
        """Find the tools of a major version by asking their binaries, never by a folder's name."""
        searched = list(_folders(major, os.environ if environment is None else environment))
        for folder in searched:
            if _asked_version(folder / "pg_dump") == major or _asked_version(folder / "postgres") == major:
                return cls(major, folder)
        raise _missing("pg_dump", major, searched)

    def path(self, tool: str) -> str:
        """Give the path of one tool, of the right version and no wrapper."""
        path = self.folder / tool
        if _asked_version(path) != self.major:
            raise _missing(tool, self.major, [self.folder])
        return str(path)

    @property
    def version_text(self) -> str:
        """The full version of the tools, which decides about known defects."""
        return _version_of(str(self.folder / "pg_dump"), _stamp(self.folder / "pg_dump"))


def _folders(major: int, environment: Mapping[str, str]) -> Iterator[Path]:
    for entry in filter(None, environment.get("PGTEND_PG_BINDIRS", "").split(",")):
        number, _, folder = entry.strip().partition(":")
        if not (number.isdecimal() and folder.startswith("/")):
            raise ToolMissing(
                f"PGTEND_PG_BINDIRS has an entry that is not a major version and a folder: '{entry.strip()}'",
                hint="Write it as 15:/usr/lib/postgresql/15/bin,18:/opt/pg/18/bin.",
            )
        if int(number) == major:
            yield Path(folder)
    for pattern in _WELL_KNOWN:
        yield Path(pattern.format(major=major))


def _asked_version(path: Path) -> int:
    """Ask a binary for its major version; 0 stands for nothing there that could be asked."""
    if not path.is_file() or _is_script(path):
        return 0
    return int(_version_of(str(path), _stamp(path)).partition(".")[0])


def _is_script(path: Path) -> bool:
    """Recognise Debian's wrapper, a Perl script that picks a version by its own rules."""
    with path.open("rb") as content:
        return content.read(2) == b"#!"


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


@functools.lru_cache(maxsize=256)
def _version_of(path: str, _stamp: int) -> str:
    answer = subprocess.run((path, "--version"), capture_output=True, text=True, env={"LC_ALL": "C"}, check=False)
    match = _VERSION.search(answer.stdout)
    return f"{match.group(1)}.{match.group(2) or 0}" if match else "0.0"


def _missing(tool: str, major: int, searched: list[Path]) -> ToolMissing:
    return ToolMissing(
        f"{tool} of PostgreSQL {major} is not installed",
        detail=f"Looked in {', '.join(str(folder) for folder in searched)}.",
        hint=f"Run `apt install postgresql-client-{major}`, use the pgtend image, which has the tools of every "
        f"supported version, or set PGTEND_PG_BINDIRS={major}:/path/to/bin.",
    )
