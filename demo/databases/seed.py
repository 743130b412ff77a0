"""Fill the demo fleet with invented rows, the same ones for the same size and day.

`python demo/databases/seed.py --conninfo "host=/run/postgresql user=postgres" --size staging [--database kgc]`
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from demo.databases.options import conninfo_from, parser, secrets_from
from demo.databases.roster import FLEET, HERE, TEAMS, DemoDataError, Team, at_database, connect

SIZES: dict[str, dict[str, dict[str, int]]] = tomllib.loads((HERE / "sizes.toml").read_text(encoding="utf-8"))
# The seeds are bound by the processor of the server: more at once than it has cores gains nothing.
AT_ONCE = 2
# What the schemas fill themselves.
NOT_SEEDED = ("schema_migrations", "database_migrations")

TABLES = """
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
  AND c.relname <> ALL (%s)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeding:
    """What became of one database: rows by table, none where there were rows before."""

    database: str
    rows: Mapping[str, int]
    took: timedelta

    @property
    def was_needed(self) -> bool:
        """Tell whether rows were made."""
        return bool(self.rows)

    def __str__(self) -> str:
        if not self.was_needed:
            return f"{self.database}: has rows already, left alone (--reset makes them anew)"
        largest = max(self.rows, key=lambda table: self.rows[table])
        return (
            f"{self.database}: {sum(self.rows.values()):,} rows in {self.took.total_seconds():.1f} s,"
            f" {self.rows[largest]:,} of them in {largest}"
        )


def seed_fleet(  # noqa: PLR0913 - a seeding has this many sides, and all but the first are named
    admin_conninfo: str,
    *,
    size: str = "development",
    databases: Iterable[str] = FLEET,
    today: date | None = None,
    reset: bool = False,
    progress: Callable[[str], None] = print,
) -> dict[str, Seeding]:
    """Fill the databases, two at a time; those that have rows are left alone unless told otherwise."""
    day = today or datetime.now(UTC).date()

    def fill(name: str) -> Seeding:
        seeding = seed_database(at_database(admin_conninfo, name), TEAMS[name], SIZES[size][name], day, reset=reset)
        progress(str(seeding))
        return seeding

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return {seeding.database: seeding for seeding in pool.map(fill, databases)}


def seed_database(conninfo: str, team: Team, amounts: Mapping[str, int], today: date, *, reset: bool) -> Seeding:
    """Fill one database as its owner, in one transaction: all of it or nothing."""
    begun = time.monotonic()
    with connect(conninfo, purpose="seed") as connection, connection.transaction():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(team.owner)))
        tables = [str(row[0]) for row in connection.execute(TABLES, (list(NOT_SEEDED),))]
        if reset:
            empty(connection, tables)
        # Two seedings of one database at once: the second waits here, then finds the rows of the first.
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(team.marker)))
        rows = {} if has_rows(connection, team) else fill(connection, team, amounts, today, tables)
    return Seeding(database=team.name, rows=rows, took=timedelta(seconds=time.monotonic() - begun))


def has_rows(connection: psycopg.Connection, team: Team) -> bool:
    """Tell whether the database was filled before."""
    found = connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(team.marker)))
    return bool(found.fetchall())


def empty(connection: psycopg.Connection, tables: list[str]) -> None:
    """Remove all rows; numbers start again at 1, for the seeds count on it."""
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))


def fill(
    connection: psycopg.Connection, team: Team, amounts: Mapping[str, int], today: date, tables: list[str]
) -> dict[str, int]:
    """Run the team's seed and count what it made."""
    settings = {f"seed.{name}": str(amount) for name, amount in amounts.items()} | {
        "seed.today": today.isoformat(),
        "TimeZone": "UTC",
        "synchronous_commit": "off",
        "work_mem": "128MB",
        # A thousand interpreted rows cost less than one compilation.
        "jit": "off",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
    connection.execute((HERE / "invent.sql").read_text(encoding="utf-8").encode())
    connection.execute(team.read("seed.sql").encode())
    return {table: count(connection, table) for table in tables}


def count(connection: psycopg.Connection, table: str) -> int:
    """Count the rows of a table."""
    counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchall()
    return int(counted[0][0])


def main() -> int:
    """Fill what the command line asks for."""
    options = parser("Fill the demo fleet with invented rows.")
    options.add_argument("--size", choices=SIZES, default="development")
    options.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day up to which rows go")
    options.add_argument("--reset", action="store_true", help="remove all rows first, also those of others")
    chosen = options.parse_args()
    conninfo = conninfo_from(chosen, secrets_from(chosen))
    seed_fleet(conninfo, size=chosen.size, databases=chosen.databases, today=chosen.today, reset=chosen.reset)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoDataError, psycopg.Error, OSError) as error:
        sys.exit(f"seed: {error}")
