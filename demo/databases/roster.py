"""Who the five teams are, and how their databases are reached."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

HERE = Path(__file__).resolve().parent
TENDER = "pgtend"


class DemoDataError(Exception):
    """Something a person has to put right before the demo's data can be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One team's database: its first table with rows, and who reads beside the application."""

    name: str
    marker: str
    readers: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Name the role that owns everything in the database."""
        return f"{self.name}_owner"

    @property
    def app(self) -> str:
        """Name the role the application connects as."""
        return f"{self.name}_app"

    @property
    def login_roles(self) -> tuple[str, ...]:
        """Name every role that connects. The owner does only when it was given a password."""
        return (self.app, *self.readers)

    def read(self, file: str) -> str:
        """Read one of the team's SQL files."""
        return (HERE / self.name / file).read_text(encoding="utf-8")


TEAMS = {
    team.name: team
    for team in (
        Team(name="kgc", marker="users", readers=("kgc_reporting",)),
        Team(name="heliotrope", marker="users"),
        Team(name="scribemed", marker="organizations", readers=("scribemed_reporting",)),
        Team(name="vaxtrace", marker="facilities", readers=("vaxtrace_dashboard",)),
        Team(name="healthmate", marker="users", readers=("healthmate_researcher",)),
    )
}
FLEET = tuple(TEAMS)
# The team whose archive rules are new: a person has to read the plan and say yes, and no script does.
UNDECIDED = "kgc"


def login_roles(databases: Iterable[str] = FLEET) -> tuple[str, ...]:
    """Name every role that needs a password where the server asks for one, the tender among them."""
    return (TENDER, *(role for name in databases for role in TEAMS[name].login_roles))


def at_database(conninfo: str, database: str) -> str:
    """Point connection parameters at another database of the same server."""
    return make_conninfo(conninfo, dbname=database)


def connect(conninfo: str, *, purpose: str) -> psycopg.Connection:
    """Open a connection that commits by itself and says what it is for."""
    return psycopg.connect(conninfo, autocommit=True, application_name=f"demo:{purpose}")


def read_secrets(path: Path | None) -> dict[str, str]:
    """Read passwords by role from a JSON file that nobody else may read."""
    if path is None:
        return {}
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise DemoDataError(f"{path} can be read by others: chmod 600 {path}")
    return {str(role): str(password) for role, password in json.loads(path.read_text(encoding="utf-8")).items()}


def with_password(conninfo: str, secrets: Mapping[str, str]) -> str:
    """Add the password of the user whom the parameters name; refuse one that came by the command line."""
    params = conninfo_to_dict(conninfo)
    if params.get("password"):
        raise DemoDataError("a password on the command line is seen by everybody: put it into the secrets file")
    password = secrets.get(str(params.get("user", "")))
    return make_conninfo(conninfo, password=password) if password else conninfo
