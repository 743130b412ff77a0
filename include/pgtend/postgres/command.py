"""One program to run: its arguments, its environment and its secrets, each in the place where it may be."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from pgtend.postgres.accounts import Account
from pgtend.postgres.address import Address
from pgtend.postgres.redaction import redacted_tail
from pgtend.postgres.tools import ClientTools, ToolMissing

_TAIL = 16 * 1024
_PLAIN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program and all it is given. Its environment is exactly what stands here, nothing is inherited.

    `secrets` maps an environment variable to the content of a file that exists only in memory: the variable gets the
    file's path, so that a secret shows up in no argument, no environment and on no disk.
    """

    argv: tuple[str, ...]
    secrets: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    account: Account | None = None
    folder: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL

    @property
    def name(self) -> str:
        """The program's name, for messages."""
        return Path(self.argv[0]).name


def client(tools: ClientTools, tool: str, address: Address, *arguments: str) -> Command:
    """Call a PostgreSQL client tool for an address."""
    secrets = {"PGPASSFILE": address.passfile} if address.password else {}
    own_passfile = {} if secrets else {key: os.environ[key] for key in ("PGPASSFILE", "HOME") if key in os.environ}
    conninfo = address.conninfo
    if address.service:
        secrets["PGSERVICEFILE"] = address.service
        conninfo = f"service=pgtend {conninfo}"
    return Command(argv=(tools.path(tool), f"--dbname={conninfo}", *arguments), secrets=secrets, env=own_passfile)


@dataclass(frozen=True, slots=True)
class Running:
    """A program that was started, and what it complains about."""

    command: Command
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]

    def kill(self) -> None:
        """End it now and take its status, so that no zombie stays; harmless when it ended already."""
        self.process.kill()
        for end in filter(None, (self.process.stdin, self.process.stdout)):
            end.close()
        self.process.wait()

    def everything_said(self) -> str:
        """Give its standard error as it is, for the eyes of a test only."""
        return self._said(0)

    def last_words(self) -> str:
        """Give the end of its standard error, without secrets and the content of rows."""
        text = self._said(max(0, os.fstat(self.complaints.fileno()).st_size - _TAIL))
        return redacted_tail(text, [secret.get_secret_value().strip() for secret in self.command.secrets.values()])

    def _said(self, start: int) -> str:
        # pread leaves the offset alone: the program may still be writing through the same open file.
        descriptor = self.complaints.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size - start, start).decode(errors="replace")


@contextmanager
def started(
    command: Command, *, stdin: int | IO[bytes] = subprocess.DEVNULL, stdout: int | IO[bytes] = subprocess.DEVNULL
) -> Generator[Running]:
    """Start a program that dies with us, and make sure that it is gone at the end."""
    with ExitStack() as cleanup:
        complaints = cleanup.enter_context(tempfile.TemporaryFile())
        with _private_files(command) as files:
            process = subprocess.Popen(
                (*_death_bed(command), *command.argv),
                stdin=stdin,
                stdout=stdout,
                stderr=complaints,
                env={
                    **_PLAIN_ENVIRONMENT,
                    **command.env,
                    **{variable: f"/proc/self/fd/{number}" for variable, number in files.items()},
                },
                cwd=command.folder or "/",
                pass_fds=tuple(files.values()),
                # Unbuffered: closing our end can then never fail on bytes that nobody wants any more.
                bufsize=0,
            )
        running = Running(command, process, complaints)
        cleanup.callback(running.kill)
        yield running


def _death_bed(command: Command) -> tuple[str, ...]:
    """Have the kernel end the program when we die, even by kill -9.

    `setpriv` does it between fork and exec. A `preexec_fn` would run Python in the forked child, which may hang on a
    lock that another thread held at that moment, and tasks of a scheduler are full of threads. The signal belongs to
    the thread that forks: a program must be started and awaited by one thread. No new session or process group is
    made, because a scheduler ends a task by its process group.
    """
    become = command.account.setpriv_options if command.account else ()
    return (_setpriv(), *become, "--pdeathsig", command.death_signal.name.removeprefix("SIG"), "--")


@functools.cache
def _setpriv() -> str:
    path = shutil.which("setpriv", path="/usr/bin:/bin:/usr/local/bin")
    if path is None:
        raise ToolMissing(
            "setpriv is not installed",
            detail="Without it a program that we start would outlive us.",
            hint="Run `apt install util-linux`.",
        )
    return path


@contextmanager
def _private_files(command: Command) -> Generator[dict[str, int]]:
    """Hold secrets in files without a name: libpq demands mode 0600, and takes a memory file by /proc/self/fd."""
    with ExitStack() as cleanup:
        files: dict[str, int] = {}
        for variable, secret in command.secrets.items():
            number = os.memfd_create("pgtend")
            cleanup.callback(os.close, number)
            os.fchmod(number, 0o600)
            if command.account:
                os.fchown(number, command.account.uid, command.account.gid)
            os.write(number, secret.get_secret_value().encode())
            files[variable] = number
        yield files
