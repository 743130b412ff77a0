"""The operating system's account that a PostgreSQL server runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pgtend.kernel.errors import Misconfigured

_CANDIDATES = ("postgres", "nobody")


class NoServerAccount(Misconfigured):
    """We are root, a PostgreSQL server must not be, and no other account is there for it."""

    code = "postgres.no_server_account"


class OutOfReach(Misconfigured):
    """The account of the server cannot enter a folder on the way to something it needs."""

    code = "postgres.out_of_reach"


@dataclass(frozen=True, slots=True)
class Account:
    """An account to drop to."""

    name: str
    uid: int
    gid: int

    @property
    def setpriv_options(self) -> tuple[str, ...]:
        """The options that make setpriv drop everything we may do as root."""
        return (f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups")

    def own(self, path: Path) -> None:
        """Give the account a file or a folder."""
        os.chown(path, self.uid, self.gid)

    def must_reach(self, path: Path) -> None:
        """Refuse a path below a folder that is closed to the account, as /root and pytest's tmp_path are."""
        for folder in path.resolve().parents:
            status = folder.stat()
            is_open = status.st_mode & 0o001 or (status.st_uid == self.uid and status.st_mode & 0o100)
            if not (is_open or (status.st_gid == self.gid and status.st_mode & 0o010)):
                raise OutOfReach(
                    f"{self.name} cannot reach {path}",
                    detail=f"{folder} is closed to that account, and the server runs as it because we are root.",
                    hint=f"Choose a place every account can reach, or run `chmod o+x {folder}`.",
                )


def server_account(candidates: Iterable[str] = _CANDIDATES) -> Account | None:
    """Choose whom a server runs as: ourselves, or as root the first of these accounts that exists."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    wanted = [os.environ.get("PGTEND_SERVER_ACCOUNT", ""), *candidates]
    for name in wanted:
        if name in known and known[name].pw_uid != 0:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise NoServerAccount(
        "no account is there to run a PostgreSQL server as",
        detail=f"Looked for {', '.join(filter(None, wanted))}.",
        hint="Run as an ordinary user, or name an account in PGTEND_SERVER_ACCOUNT.",
    )
