"""Create the roles, the databases and the schemas of the demo fleet. Whatever exists already stays as it is.

`python demo/databases/create.py --conninfo "host=/run/postgresql user=postgres" [--secrets FILE] [--database kgc]`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from demo.databases.options import conninfo_from, parser, secrets_from
from demo.databases.roster import FLEET, HERE, TEAMS, TENDER, DemoDataError, Team, at_database, connect

# Created by the superuser, because only a superuser may; the teams create the trusted ones in their own schemas.
SUPERUSER_EXTENSIONS = ("pg_stat_statements",)


def create_fleet(
    admin_conninfo: str,
    secrets: Mapping[str, str],
    databases: Iterable[str] = FLEET,
    progress: Callable[[str], None] = print,
) -> tuple[str, ...]:
    """Create what is missing, as a superuser, and name the databases that are new."""
    chosen = tuple(TEAMS[name] for name in databases)
    created = []
    with connect(admin_conninfo, purpose="create") as admin:
        ensure_role(admin, TENDER, secrets, login=True)
        for team in chosen:
            ensure_roles(admin, team, secrets)
            ensure_database(admin, team)
    for team in chosen:
        with connect(at_database(admin_conninfo, team.name), purpose="create") as admin:
            if load_schema(admin, team):
                created.append(team.name)
            finish(admin)
        progress(f"{team.name}: {'created' if team.name in created else 'was there'}")
    return tuple(created)


def ensure_roles(admin: psycopg.Connection, team: Team, secrets: Mapping[str, str]) -> None:
    """Create the owner, the application's role and the readers."""
    ensure_role(admin, team.owner, secrets, login=team.owner in secrets)
    for role in team.login_roles:
        ensure_role(admin, role, secrets, login=True)


def ensure_role(admin: psycopg.Connection, role: str, secrets: Mapping[str, str], *, login: bool) -> None:
    """Create a role if it is not there, and set the password it should have."""
    name = sql.Identifier(role)
    if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchall():
        admin.execute(sql.SQL("CREATE ROLE {}").format(name))
    if login:
        admin.execute(sql.SQL("ALTER ROLE {} LOGIN").format(name))
    if role in secrets:
        # Hashed here, so that no log of the server and no statement statistics ever see the password.
        verifier = admin.pgconn.encrypt_password(secrets[role].encode(), role.encode(), b"scram-sha-256")
        admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(verifier.decode())))


def ensure_database(admin: psycopg.Connection, team: Team) -> None:
    """Create the database if it is not there, for the team's own roles alone."""
    name = sql.Identifier(team.name)
    if not admin.execute("SELECT FROM pg_database WHERE datname = %s", (team.name,)).fetchall():
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(
                name, sql.Identifier(team.owner)
            )
        )
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    roles = sql.SQL(", ").join(map(sql.Identifier, team.login_roles))
    admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))


def load_schema(admin: psycopg.Connection, team: Team) -> bool:
    """Load the team's schema as its owner, all of it or nothing; tell whether it was needed."""
    if admin.execute("SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = %s", (team.marker,)).fetchall():
        return False
    with admin.transaction():
        admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(team.owner)))
        admin.execute(team.read("schema.sql").encode())
    return True


def finish(admin: psycopg.Connection) -> None:
    """Add what only a superuser may: an extension, and the tender's rights."""
    for extension in SUPERUSER_EXTENSIONS:
        admin.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    admin.execute((HERE / "grants.sql").read_text(encoding="utf-8").encode())


def main() -> int:
    """Create what the command line asks for."""
    options = parser("Create the demo fleet's roles, databases and schemas.").parse_args()
    secrets = secrets_from(options)
    create_fleet(conninfo_from(options, secrets), secrets, options.databases)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoDataError, psycopg.Error, OSError) as error:
        sys.exit(f"create: {error}")
