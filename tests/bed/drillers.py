"""Somebody who drills in a process of his own: the worker of whoever runs the tests, or an ordinary user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed.ordinary import as_ordinary_user, environment, give
from pgtend.vault.agekeys import KeyPair

OURSELVES, ORDINARY = "ourselves", "an ordinary user"
_MODULE = ("-m", "bed.drill_victim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Driller:
    """Whoever drills, and the folder in which that happens: a fleet file, a vault, a ledger, a place for servers."""

    folder: Path
    keys: KeyPair
    who: str

    @classmethod
    @contextmanager
    def hired(cls, who: str, *, fleet: str, vault: Path, keys: KeyPair) -> Generator[Driller]:
        """Give somebody a copy of a vault and a place to work at, which the account of a server can reach."""
        folder = Path(tempfile.mkdtemp(prefix="pgtend-driller-"))
        try:
            folder.chmod(0o755)
            (folder / "fleet.yaml").write_text(fleet, encoding="utf-8")
            shutil.copytree(vault, folder / "vault")
            (folder / "scratch").mkdir()
            if who == ORDINARY:
                give(folder)
            yield cls(folder=folder, keys=keys, who=who)
        finally:
            shutil.rmtree(folder)

    @property
    def scratch(self) -> Path:
        """Where servers and everything else that must go again lies."""
        return self.folder / "scratch"

    @contextmanager
    def drilling(self, *databases: str) -> Generator[tuple[int, Iterator[str]]]:
        """Begin to drill; give the process to kill and what it says."""
        argv = (sys.executable, *_MODULE, str(self.folder), *databases)
        ours = {**os.environ, **{name: environment(self.scratch)[name] for name in _PLACES}}
        with subprocess.Popen(
            as_ordinary_user(*argv) if self.who == ORDINARY else argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(self.scratch) if self.who == ORDINARY else ours,
            cwd="/",
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(self.keys.key_file())
            process.stdin.close()
            pid, account = map(int, process.stdout.readline().split())
            assert (account == os.geteuid()) is (self.who != ORDINARY or os.geteuid() != 0)
            yield pid, map(str.strip, process.stdout)
            process.stdout.read()

    def drill(self, *databases: str) -> list[str]:
        """Drill to the end, and give what each drill proved and behind which walls."""
        with self.drilling(*databases) as (_, lines):
            said = list(lines)
        return [line for line in said if line.endswith(("NAMESPACES", "CONTAINER", "ACCOUNT"))]

    def kill_at(self, database: str, moment: str, after: float) -> None:
        """`kill -9` some seconds after a line was said, and wait until every process of the drill is gone."""
        with self.drilling(database) as (pid, lines):
            assert any(line == moment for line in lines), f"it never came to {moment}"
            time.sleep(after)
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []

    def processes(self) -> list[str]:
        """Name the processes that work in the folder, whatever they are: a drill, walls, a server, a tool."""
        found: list[str] = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it ended while we looked
            if str(self.folder) in line:
                found.append(line)
        return found


_PLACES = ("TMPDIR", "PYTHONPATH", "PGTEND_PG_BINDIRS")
