"""The walls around a server that runs what others wrote: its own files, network, processes and users.

A restored database brings code along: checks, triggers, functions in indexes. Whatever that code does, it does here,
where nothing outside has even a name. The server's folder is the only thing that both sides see, for its socket.
"""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from pgtend.kernel.errors import Misconfigured
from pgtend.postgres.accounts import Account
from pgtend.postgres.command import Command
from pgtend.postgres.process import Stalled, ToolFailed, run
from pgtend.postgres.tools import ToolMissing

_WHERE = "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"
_PATIENCE = timedelta(seconds=20)
# What programs need of the system: code, and no settings, no secrets, no sockets. Links are made again as links.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives")
_INTERFACES = Path("/sys/class/net")


class IsolationLevel(IntEnum):
    """How far a server is shut in; more is better."""

    NONE = 0
    ACCOUNT = 1
    """Another account of the operating system at most; only where the fleet file allows it."""
    CONTAINER = 2
    """The whole worker is in a container without a network."""
    NAMESPACES = 3
    """Its own files, network, processes and users: nothing outside has even a name."""


class NoSandbox(Misconfigured):
    """Nothing here can shut a server in as far as is asked for."""

    code = "postgres.no_sandbox"


@dataclass(frozen=True, slots=True)
class Walls:
    """What a sandbox leaves visible: the server's folder for writing, the programs for reading."""

    folder: Path
    programs: Path
    """The folder in which the `bin` of PostgreSQL lies."""
    uid: int
    gid: int


class Sandbox(Protocol):
    """Something that runs a program between walls, and takes it down when we die."""

    @property
    def level(self) -> IsolationLevel:
        """How far it shuts a program in."""
        ...

    @property
    def means(self) -> str:
        """What does it, for people and receipts."""
        ...

    def wrap(self, argv: tuple[str, ...], walls: Walls) -> tuple[str, ...]:
        """Give the command that runs this program inside."""
        ...


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Namespaces made by bubblewrap, which needs no rights of root."""

    path: str
    version: str
    shares: tuple[str, ...] = ()
    """Options that open a wall again; only a test of the canaries gives any."""

    @property
    def level(self) -> IsolationLevel:
        """Everything is its own."""
        return IsolationLevel.NAMESPACES

    @property
    def means(self) -> str:
        """Name it with its version."""
        return f"bubblewrap {self.version}"

    def wrap(self, argv: tuple[str, ...], walls: Walls) -> tuple[str, ...]:
        """Run it without capabilities, and without /proc, which a container may not mount."""
        return (
            self.path,
            *("--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "drill"),
            *(option for path in _visible(walls) for option in _bound(path)),
            *("--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108 - a folder of that name inside, empty and its own
            *("--ro-bind", str(walls.programs.resolve()), str(walls.programs)),
            *("--bind", str(walls.folder), str(walls.folder)),
            *("--ro-bind", str(walls.folder / "passwd"), "/etc/passwd"),
            # A program finds libraries beside itself through /proc, which is not there.
            *(
                ()
                if str(walls.programs).startswith("/usr")
                else ("--setenv", "LD_LIBRARY_PATH", f"{walls.programs}/lib")
            ),
            *("--chdir", "/"),
            *self.shares,
            "--",
            *argv,
        )


# Run by root of a user namespace of its own, which is our account outside: builds a root of a few folders, leaves the
# old one, and becomes our account again. Everything it made is gone with its last process.
_SHUT_IN = """
PATH=$PATH:/usr/sbin:/sbin
new=$1 folder=$2 programs=$3 uid=$4 gid=$5; shift 5
mount --make-rprivate /
mount -t tmpfs -o mode=755 drill "$new"
mkdir -p "$new/old" "$new/proc" "$new/tmp" "$new/etc" "$new/dev/shm"
for path in __SYSTEM__; do
    if [ -L "$path" ]; then ln -s "$(readlink "$path")" "$new$path"
    elif [ -d "$path" ]; then mkdir -p "$new$path"; mount --rbind "$path" "$new$path"
    elif [ -e "$path" ]; then touch "$new$path"; mount --bind "$path" "$new$path"; fi
done
for device in null zero random urandom; do
    touch "$new/dev/$device"; mount --bind "/dev/$device" "$new/dev/$device"
done
mount -t tmpfs -o mode=1777 drill "$new/dev/shm"
mount -t proc drill "$new/proc"
if [ ! -e "$new$programs" ]; then mkdir -p "$new$programs"; mount --rbind "$(realpath "$programs")" "$new$programs"; fi
mkdir -p "$new$folder"
mount --rbind "$folder" "$new$folder"
cp "$folder/passwd" "$new/etc/passwd"
cd "$new"
pivot_root . old
umount -l /old
exec unshare --user --map-user="$uid" --map-group="$gid" -- \
    setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""


@dataclass(frozen=True, slots=True)
class Unshared:
    """The same walls by util-linux alone, where bubblewrap is not installed."""

    path: str
    version: str

    @property
    def level(self) -> IsolationLevel:
        """Everything is its own."""
        return IsolationLevel.NAMESPACES

    @property
    def means(self) -> str:
        """Name it with its version."""
        return f"unshare of util-linux {self.version}"

    def wrap(self, argv: tuple[str, ...], walls: Walls) -> tuple[str, ...]:
        """Build the walls by a small script, because unshare alone leaves all files where they were."""
        script = _SHUT_IN.replace("__SYSTEM__", " ".join(_SYSTEM))
        given = (walls.folder / "root", walls.folder, walls.programs, walls.uid, walls.gid)
        return (
            self.path,
            *("--user", "--map-root-user", "--mount", "--net", "--pid", "--ipc", "--uts"),
            *("--fork", "--kill-child=KILL", "--"),
            *("/bin/sh", "-euc", script, "drill", *map(str, given)),
            *argv,
        )


@dataclass(frozen=True, slots=True)
class Bare:
    """No walls of ours: those of the container, or only another account."""

    level: IsolationLevel
    means: str

    def wrap(self, argv: tuple[str, ...], walls: Walls) -> tuple[str, ...]:  # noqa: ARG002 - what a sandbox does
        """Run it as it is."""
        return argv


def find_sandbox(account: Account | None, least: IsolationLevel) -> Sandbox:
    """Take the best walls that this machine can build, and refuse to do with less than asked for."""
    found = next(_candidates(account))
    if found.level < least:
        raise NoSandbox(
            f"the best that can be done here is {found.means}",
            detail=f"That is isolation level {found.level.value} of 3, and {least.value} is asked for.",
            hint="Run `apt install bubblewrap`, and let the worker make user namespaces; see "
            "docs/runbooks/drill-environment.md.",
        )
    return found


def _candidates(account: Account | None) -> Iterator[Sandbox]:
    for name, kind in (("bwrap", Bubblewrap), ("unshare", Unshared)):
        path = shutil.which(name, path=_WHERE)
        if path and _works(path, account):
            yield kind(path, _version(path))
    if _has_no_network():
        yield Bare(IsolationLevel.CONTAINER, "a container without a network")
    own = f"the account {account.name}" if account else "nothing but our own account"
    yield Bare(IsolationLevel.ACCOUNT, own)


def _works(path: str, account: Account | None) -> bool:
    """Try it: whether a kernel and a container allow user namespaces is known only by making one."""
    tried = {
        "bwrap": ("--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--", "/bin/true"),
        "unshare": (
            *("--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--"),
            *("/bin/sh", "-euc", "PATH=$PATH:/usr/sbin:/sbin; mount -t proc drill /proc && command -v pivot_root"),
        ),
    }
    try:
        run(Command(argv=(path, *tried[Path(path).name]), account=account), within=_PATIENCE)
    except (ToolFailed, ToolMissing, Stalled):
        return False
    return True


@functools.cache
def _version(path: str) -> str:
    said = run(Command(argv=(path, "--version")), within=_PATIENCE).decode(errors="replace")
    return next(iter(re.findall(r"\d+(?:\.\d+)+", said)), "of an unknown version")


def _has_no_network() -> bool:
    return _INTERFACES.is_dir() and {interface.name for interface in _INTERFACES.iterdir()} <= {"lo"}


def _visible(walls: Walls) -> Iterator[Path]:
    yield from (Path(path) for path in _SYSTEM if Path(path).exists() and not walls.folder.is_relative_to(path))


def _bound(path: Path) -> tuple[str, ...]:
    if path.is_symlink():
        return ("--symlink", str(path.readlink()), str(path))
    return ("--ro-bind", str(path), str(path))
