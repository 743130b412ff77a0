"""Every supported server understands every statement, and gives the columns that the code expects."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.clusters import new_database, statement
from bed.ledgers import new_ledger
from bed.statements import (
    KEYS_TABLE,
    PADDED_TABLE,
    SAMPLE_TABLE,
    SPREAD_TABLE,
    Column,
    NotPrepared,
    declared_queries,
    describe,
    fits_server,
    make_extensions,
    mismatches,
    statement_files,
    undeclared,
)
from pgtend.archive.memory import remember
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.sqlfiles import Query

QUERIES = declared_queries()


@dataclass(frozen=True)
class Amount:
    """A row of the tests below."""

    name: str
    amount: int


def amount_query(text: str) -> Query[object]:
    """Wrap a statement whose rows become amounts."""
    return Query(name="read_amounts", text=text, row=Amount, purpose="test")


@pytest.fixture
def places(server: ThrowawayServer) -> Generator[dict[str, Session]]:
    """Give a session in a tended database and one in a ledger."""
    with ExitStack() as opened:
        tended, ledger = (opened.enter_context(make(server)) for make in (new_database, new_ledger))
        places = {"source": opened.enter_context(tended.session()), "ledger": opened.enter_context(ledger.session())}
        for made in (SAMPLE_TABLE, PADDED_TABLE, KEYS_TABLE, SPREAD_TABLE):
            places["source"].run(statement(made))
        places["source"].run(statement("CREATE EXTENSION pg_stat_statements SCHEMA public"))
        remember(places["source"])
        make_extensions(places["source"], QUERIES)
        yield places


def test_every_file_is_read_by_exactly_one_constant() -> None:
    """A statement that nobody runs is dead, and one with two names drifts."""
    assert undeclared(statement_files(), QUERIES) == []


def test_a_file_nobody_reads_is_found() -> None:
    """The check above fails for a file without a constant, and for a constant without a file."""
    stray = Query(name="stray", text="SELECT 1", row=type(None), purpose="test")
    assert undeclared({Path("sql/read_it.sql"): "SELECT 2"}, [stray]) == [
        "sql/read_it.sql is read by 0 constants",
        "stray is read from no file",
    ]


def test_every_statement_says_where_it_runs() -> None:
    """A tended database and the ledger are all there is."""
    assert {query.on for query in QUERIES} <= {"source", "ledger"}


def test_every_statement_prepares_and_gives_the_expected_columns(places: dict[str, Session]) -> None:
    """The server parses each statement, and names, order and types fit the dataclass."""
    problems: list[str] = []
    for query in (query for query in QUERIES if fits_server(query, places[query.on])):
        try:
            problems += mismatches(query, describe(places[query.on], query))
        except NotPrepared as error:
            problems.append(f"{query.name}: {error}")
    assert problems == []


def test_a_statement_the_server_does_not_know_is_found(places: dict[str, Session]) -> None:
    """A column that does not exist, or two statements in one file, do not prepare."""
    with pytest.raises(NotPrepared, match="does not exist"):
        describe(places["source"], amount_query("SELECT nothing AS name, 1 AS amount FROM public.sample"))
    with pytest.raises(NotPrepared, match="multiple commands"):
        describe(places["source"], amount_query("SELECT 1; SELECT 2"))


def test_a_column_that_is_not_a_field_is_found() -> None:
    """Names and their order count."""
    swapped = [Column("amount", "int4"), Column("name", "text")]
    assert mismatches(amount_query("..."), swapped) == [
        "read_amounts gives ['amount', 'name'], Amount takes ['name', 'amount']"
    ]


def test_a_type_that_python_reads_differently_is_found(places: dict[str, Session]) -> None:
    """The sum of bigint is numeric, which arrives as a Decimal and not as an int."""
    query = amount_query("SELECT 'a'::text AS name, sum(id::bigint) AS amount FROM public.sample")
    assert mismatches(query, describe(places["source"], query)) == [
        "read_amounts.amount is numeric, Amount says <class 'int'>"
    ]


def test_columns_of_a_command_are_found() -> None:
    """A statement that is said to give no rows and gives some hides an answer."""
    silent = Query(name="silent", text="...", row=type(None), purpose="test")
    assert mismatches(silent, [Column("answer", "text")]) == ["silent gives columns nobody takes: ['answer']"]
    assert mismatches(silent, [Column("called", "void")]) == []
