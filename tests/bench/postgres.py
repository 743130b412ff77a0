"""What a session of ours costs beside a plain connection of psycopg, and typed rows beside tuples."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import make_conninfo

from bed.clusters import MAJORS, Clusters, new_database
from bench.figures import Cost, Section, Table, milliseconds, prose, race, ratio, repeated
from pgtend.fleet.model import Limits
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session
from pgtend.sqlfiles import Query

ROUNDS = 3
OPENINGS = 50
ROWS = 10_000
TEXT = f"SELECT n AS number, n::text AS word FROM generate_series(1, {ROWS}) AS n"  # noqa: S608 - a number of ours
RIVAL, OURS = "psycopg", "pgtend"


@dataclass(frozen=True, slots=True)
class Line:
    """A row as a room would read it."""

    number: int
    word: str


LINES = Query(name="read_lines", text=TEXT, row=Line, purpose="bench")


def measure() -> Section:
    """Measure both ends of the range of servers, by socket with a password and by TCP."""
    rows: list[tuple[str, ...]] = []
    with ExitStack() as stack:
        clusters = Clusters()
        stack.callback(clusters.close)
        for major in MAJORS:
            database = stack.enter_context(new_database(clusters.server(major)))
            by_socket = database.owner
            by_tcp = Address(
                params={**by_socket.params, "host": "127.0.0.1", "sslmode": "disable"}, password=by_socket.password
            )
            rows += _rows(f"PostgreSQL {major}, open by socket", _opening(by_socket))
            rows += _rows(f"PostgreSQL {major}, open by TCP", _opening(by_tcp))
            rows += _rows(f"PostgreSQL {major}, read {ROWS:,} rows", _reading(by_socket))
    return Section(
        title="Sessions",
        measured=prose(f"""
            Open, ask for one value, close: the mean of {OPENINGS}, the best of {ROUNDS} rounds; the server is on the
            same machine and wants a SCRAM password. Then many rows of a number and a text, read by an open session:
            tuples by psycopg, typed rows by pgtend.
        """),
        tables=(Table(("what", "by", "time", "CPU of the client", "to psycopg"), tuple(rows), words=2),),
        remarks=(
            prose("""
                Opening is dearer by two questions: what the server is, because versions we do not know and poolers
                are refused before any work, and that it may stop when we are gone. A job opens a handful of sessions
                a night.
            """),
            prose("""
                psycopg builds each typed row by calling its class, which a tuple does not need. The catalogues we
                read have thousands of rows and not millions.
            """),
        ),
    )


def _opening(address: Address) -> dict[str, Cost]:
    password = address.password.get_secret_value() if address.password else ""
    plain = make_conninfo("", **address.params, password=password)

    def by_psycopg() -> None:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("SELECT 1").fetchall()

    def by_us() -> None:
        with open_session(address, Limits(), application="pgtend:bench") as session:
            session.connection.execute("SELECT 1").fetchall()

    return race({RIVAL: repeated(by_psycopg, OPENINGS), OURS: repeated(by_us, OPENINGS)}, rounds=ROUNDS)


def _reading(address: Address) -> dict[str, Cost]:
    with open_session(address, Limits(), application="pgtend:bench") as session:
        contestants = {
            RIVAL: repeated(lambda: session.connection.execute(TEXT).fetchall(), 10),
            OURS: repeated(lambda: session.rows(LINES), 10),
        }
        return race(contestants, rounds=ROUNDS)


def _rows(about: str, costs: dict[str, Cost]) -> list[tuple[str, ...]]:
    least = costs[RIVAL].wall
    return [
        (about, who, milliseconds(cost.wall), milliseconds(cost.cpu), ratio(cost.wall, least))
        for who, cost in costs.items()
    ]
