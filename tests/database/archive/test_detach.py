"""Whole months leave a partitioned table: no row moves, nobody waits, and late rows find a place."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bed.archiving import Attic, own
from bed.clusters import LiveDatabase, asked, statement
from pgtend.archive.erasing import erase
from pgtend.archive.erasures import Person
from pgtend.archive.errors import KeyTaken
from pgtend.archive.model import State, month_after
from pgtend.archive.restoring import restore_beside, restore_to_live

STOCK, ARCHIVE, WHOLE = "public.stock", "public.stock_archive", "public.stock_all"
PARENT = f"""
CREATE TABLE {STOCK} (
    facility int NOT NULL REFERENCES public.facilities,
    day date NOT NULL,
    amount int,
    twice int GENERATED ALWAYS AS (amount * 2) STORED,
    PRIMARY KEY (facility, day)
) PARTITION BY RANGE (day)
"""


def months() -> list[date]:
    """List the months from July 2025 to December 2026."""
    found = [date(2025, 7, 1)]
    while found[-1] < date(2026, 12, 1):
        found.append(month_after(found[-1]))
    return found


def partition(month: date) -> str:
    """Write the statement that makes the partition of a month."""
    bounds = f"FROM ('{month}') TO ('{month_after(month)}')"
    return f"CREATE TABLE public.stock_{month:%Y_%m} PARTITION OF {STOCK} FOR VALUES {bounds}"


@pytest.fixture
def stock(database: LiveDatabase, tmp_path: Path) -> Attic:
    """Give a table with a partition for each month, as the team of vaxtrace keeps its snapshots."""
    database.run(
        "CREATE TABLE public.facilities (id int PRIMARY KEY)",
        "INSERT INTO public.facilities SELECT generate_series(1, 20)",
        PARENT,
        *(partition(month) for month in months()),
        f"INSERT INTO {STOCK} (facility, day, amount) SELECT f, date '2026-11-20' - d, d"
        " FROM generate_series(1, 20) AS f, generate_series(0, 480) AS d",
    )
    own(database, "public.facilities", STOCK, *(f"public.stock_{month:%Y_%m}" for month in months()))
    return Attic(database, tmp_path, tables={STOCK: {"by": "day"}})


def test_whole_months_leave_without_moving_a_row(stock: Attic) -> None:
    """Four months, as files: the same rows, generated values too, live and archived together."""
    before = stock.content(STOCK)
    files = "SELECT string_agg(relfilenode::text, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relname"
    was = stock.ask(f"{files} ~ '^stock_2025_(07|08|09|10)$'")
    report = stock.run()
    assert (report.detached, report.rows, report.sealed) == (4, 0, 4)
    assert stock.ask(f"{files} ~ '^public__stock_2025'") == was
    assert stock.content(WHOLE) == stock.content(STOCK, ARCHIVE) == before
    assert stock.ask(f"SELECT min(day) FROM {STOCK}") == "2025-11-01"
    assert [(unit.label, unit.rows > 0, unit.stands) for unit in stock.units(STOCK)] == [
        (f"2025-{number:02}", True, State.SEALED) for number in (7, 8, 9, 10)
    ]


def test_a_late_row_lands_and_moves_with_the_next_run(stock: Attic) -> None:
    """Without a partition in the place of the month that left, every late row would be refused."""
    stock.live.run("INSERT INTO public.facilities VALUES (21)")
    stock.run()
    stock.live.run(f"INSERT INTO {STOCK} (facility, day, amount) VALUES (21, '2025-09-15', 4711)")
    assert stock.ask(f"SELECT tableoid::regclass FROM {STOCK} WHERE amount = 4711") == "public.stock_late_2025_09"
    before = stock.content(WHOLE)
    report = stock.run()
    assert (report.detached, report.rows, report.sealed) == (0, 1, 1)
    assert stock.content(WHOLE) == before
    assert stock.unit("2025-09", STOCK).gen == 2


def test_a_month_that_is_interrupted_anywhere_is_finished_by_the_next_run(stock: Attic) -> None:
    """Between writing down, landing, detaching and attaching; each place is brought about by hand."""
    before = stock.content(STOCK)
    stock.tables = {STOCK: {"by": "day", "keep": "430 days"}}
    stock.run()
    begin = (
        "INSERT INTO pgtend_archive.unit (source_id, month, state, columns, partition, came_from)"
        " SELECT source_id, '{month}', 'detaching', columns, 'public__stock_{name}', 'public.stock_{name}'"
        " FROM pgtend_archive.unit LIMIT 1"
    )
    stock.live.run(
        *(begin.format(month=f"2025-{number}-01", name=f"2025_{number}") for number in ("09", "10")),
        f"ALTER TABLE {STOCK} DETACH PARTITION public.stock_2025_09",
    )
    stock.tables = {STOCK: {"by": "day"}}
    report = stock.run()
    assert report.detached == 2
    assert stock.content(WHOLE) == before
    assert stock.ask(f"SELECT count(*) FROM {STOCK} WHERE day < '2025-11-01'") == "0"


def test_a_reader_is_waited_for_and_nobody_waits_for_us(stock: Attic) -> None:
    """Somebody reads for long: the months stay where they can be seen, and go with the next run."""
    with stock.live.session() as reader, reader.transaction():
        reader.rows(asked(f"SELECT count(*)::text AS word FROM {STOCK}"))
        reader.rows(asked("SELECT pg_sleep(0.3)::text AS word"))
        stock.rules = {"time_budget": "1500 ms"}
        report = stock.run()
        assert (report.detached, report.is_finished) == (0, False)
        assert stock.ask(f"SELECT count(*) FROM {STOCK}") == str(20 * 481)
    stock.rules = {}
    assert stock.run().detached == 4


def test_a_pending_detach_of_somebody_else_is_ended_first(stock: Attic) -> None:
    """An interrupted DETACH ... CONCURRENTLY would make every later one fail."""
    stock.tables = {STOCK: {"by": "day", "keep": "430 days"}}
    stock.run()
    with stock.live.session() as reader, reader.transaction():
        reader.rows(asked(f"SELECT count(*)::text AS word FROM {STOCK}"))
        with stock.live.session() as other:
            other.run(statement("SET lock_timeout = '200ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                other.run(statement(f"ALTER TABLE {STOCK} DETACH PARTITION public.stock_2025_09 CONCURRENTLY"))
    assert stock.ask("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == "1"
    stock.tables = {STOCK: {"by": "day"}}
    report = stock.run()
    assert report.detached == 2
    assert stock.ask("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == "0"
    assert stock.ask(f"SELECT count(*) FROM {WHOLE}") == str(20 * 481)


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (f"CREATE TABLE public.rest PARTITION OF {STOCK} DEFAULT", "it has a default partition"),
        (f"CREATE TABLE public.c (f int, d date, FOREIGN KEY (f, d) REFERENCES {STOCK})", "public.c points at it"),
    ],
)
def test_what_postgresql_cannot_detach_is_moved_or_refused(stock: Attic, change: str, why: str) -> None:
    """By `auto` rows are moved one by one from every partition; by `detach` the rule is refused with the reason."""
    stock.live.run(change)
    own(stock.live, change.split()[2])
    stock.tables = {STOCK: {"by": "day", "mode": "detach", "referenced": "keep"}}
    assert any(why in refusal for refusal in stock.refusals(STOCK))
    stock.tables = {STOCK: {"by": "day", "referenced": "keep"}}
    before = stock.content(STOCK)
    report = stock.run()
    assert (report.detached, report.rows > 1_500) == (0, True)
    assert stock.content(WHOLE) == before


@pytest.mark.parametrize("mode", ["auto", "move"])
def test_rows_that_point_at_one_partition_alone_are_seen(stock: Attic, mode: str) -> None:
    """Such a foreign key is none of the whole table, and would have taken its own rows along."""
    stock.live.run(
        "CREATE TABLE public.notes (facility int, day date,"
        " FOREIGN KEY (facility, day) REFERENCES public.stock_2025_09 ON DELETE CASCADE)",
        "INSERT INTO public.notes SELECT facility, day FROM public.stock_2025_09",
    )
    own(stock.live, "public.notes")
    stock.tables = {STOCK: {"by": "day", "mode": mode}}
    assert any("public.notes points at it" in what for what in stock.refusals(STOCK))
    stock.tables = {STOCK: {"by": "day", "mode": mode, "referenced": "keep"}}
    before = stock.content(STOCK)
    stock.run()
    assert stock.content(WHOLE) == before
    assert stock.ask("SELECT count(*) FROM public.notes") == "600"
    assert stock.ask(f"SELECT count(*) FROM {STOCK} WHERE day < '2025-11-01'") == "600"


def test_tables_of_two_schemas_may_have_partitions_and_indexes_of_one_name(
    database: LiveDatabase, tmp_path: Path
) -> None:
    """Each tenant has the same tables: their months come into one schema of ours, and their indexes with them."""
    for tenant in ("north", "south"):
        table = f"{tenant}.visits"
        database.run(
            f'CREATE SCHEMA {tenant} AUTHORIZATION "{database.owner.user}"',
            f"CREATE TABLE {table} (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
            f"CREATE TABLE {table}_2025_09 PARTITION OF {table} FOR VALUES FROM ('2025-09-01') TO ('2025-10-01')",
            f"INSERT INTO {table} VALUES (1, '2025-09-09')",
        )
        own(database, table, f"{table}_2025_09")
    attic = Attic(database, tmp_path, tables={"north.visits": {"by": "day"}, "south.visits": {"by": "day"}})
    report = attic.run()
    assert (report.detached, report.sealed) == (2, 2)
    assert attic.ask("SELECT count(*) FROM north.visits_all, south.visits_all") == "1"


def interrupted_before_the_seal(stock: Attic) -> None:
    """Let a run die when its months are detached and nobody has counted them yet."""

    def die() -> None:
        if "left as whole partitions" in stock.lines[-1]:
            raise KeyboardInterrupt

    stock.on_line = die
    with pytest.raises(KeyboardInterrupt):
        stock.run()
    stock.on_line = bool
    assert {(unit.state, unit.rows) for unit in stock.units(STOCK)} == {("moving", 0)}


def test_a_late_row_of_a_month_that_nobody_counted_yet_is_no_damage(stock: Attic) -> None:
    """The late row is added to what the month holds, and not taken for all that it should hold."""
    stock.live.run("INSERT INTO public.facilities VALUES (21)")
    interrupted_before_the_seal(stock)
    stock.live.run(f"INSERT INTO {STOCK} (facility, day, amount) VALUES (21, '2025-09-15', 4711)")
    before = stock.content(WHOLE)
    report = stock.run()
    assert (report.rows, report.sealed, stock.unit("2025-09", STOCK).rows) == (1, 4, 601)
    assert stock.content(WHOLE) == before


def test_a_month_that_nobody_counted_yet_is_brought_back_and_erased_from(stock: Attic) -> None:
    """It is counted first: the ledger says nothing of its rows, which is not that there are none."""
    stock.tables = {STOCK: {"by": "day", "person": "facility"}}
    interrupted_before_the_seal(stock)
    with stock.desk(STOCK) as desk:
        assert restore_beside(desk, date(2025, 9, 1)).rows == 600
        restore_to_live(desk, date(2025, 8, 1), hold=timedelta(days=30), by="ana")
        assert erase(desk, Person(SecretStr("7")).digested((STOCK,), "ana")).archived == 65
    assert stock.run().sealed == 4
    assert stock.unit("2025-09", STOCK).rows == 570


def test_a_month_leaves_also_after_a_column_went_that_its_archive_still_has(stock: Attic) -> None:
    """It was detached and could not be attached: nobody saw its rows, and no run got any further."""
    stock.live.run(f"ALTER TABLE {STOCK} ADD COLUMN note text")
    stock.run()
    stock.live.run(f"DROP VIEW {WHOLE}", f"ALTER TABLE {STOCK} DROP COLUMN note")
    stock.now += timedelta(days=31)
    before = stock.ask(f"SELECT (SELECT count(*) FROM {STOCK}) + (SELECT count(*) FROM {ARCHIVE})")
    assert stock.run().detached == 1
    assert stock.ask(f"SELECT count(*) FROM {WHOLE}") == before


@pytest.mark.parametrize("mode", ["move", "auto"])
def test_a_day_that_was_written_anew_stays_and_keeps_no_others(stock: Attic, mode: str) -> None:
    """An application that sent a day again found none any more: that was called damage, and no row left after it."""
    stock.tables = {STOCK: {"by": "day", "mode": mode}}
    stock.run()
    stock.live.run(
        "INSERT INTO public.facilities VALUES (21)",
        f"INSERT INTO {STOCK} (facility, day, amount) VALUES (3, '2025-09-10', 777), (21, '2025-09-10', 7)",
    )
    for _ in range(2):
        with pytest.raises(KeyTaken, match=r"1 row of public\.stock cannot leave"):
            stock.run()
    assert stock.ask(f"SELECT sum(amount) FROM {STOCK} WHERE day < '2025-11-01'") == "777"
    assert stock.ask(f"SELECT amount FROM {ARCHIVE} WHERE facility = 21") == "7"
    stock.live.run(f"DELETE FROM {STOCK} WHERE amount = 777")
    assert stock.run().rows == 0
    assert stock.unit("2025-09", STOCK).stands is State.SEALED


def test_two_rows_of_one_key_in_a_month_keep_no_other_month(stock: Attic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day was written anew before its month was sealed: that was called damage, and no later month was sealed."""
    stock.tables = {STOCK: {"by": "day", "mode": "move"}}
    with monkeypatch.context() as ending:
        ending.setattr("pgtend.archive.job._Night._seal", lambda *_: None)
        stock.run()
    stock.live.run(f"INSERT INTO {STOCK} (facility, day, amount) VALUES (3, '2025-09-10', 777)")
    with pytest.raises(KeyTaken, match=r"public\.stock 2025-09 cannot be sealed"):
        stock.run()
    assert [unit.state for unit in stock.units(STOCK)] == ["sealed", "sealed", "moving", "sealed"]


def test_archived_rows_stay_when_what_they_point_at_goes(stock: Attic) -> None:
    """A month that left as a whole had the foreign key of its table: rows that nobody erased were deleted."""
    key = f"ALTER TABLE {STOCK} DROP CONSTRAINT stock_facility_fkey, ADD FOREIGN KEY (facility) REFERENCES"
    stock.live.run(f"{key} public.facilities ON DELETE CASCADE")
    with stock.live.session() as reader, reader.transaction():
        reader.run(statement("LOCK TABLE public.facilities IN ACCESS SHARE MODE"))
        stock.run()
    assert any("somebody is in the way of dropping stock_facility_fkey" in line for line in stock.lines)
    stock.run()
    before = stock.content(ARCHIVE)
    stock.live.run("DELETE FROM public.facilities WHERE id = 3")
    assert stock.content(ARCHIVE) == before


def test_a_late_row_is_not_judged_by_a_check_of_long_ago(stock: Attic) -> None:
    """The table takes it by now, and its month, which left as a whole, refused it for good."""
    stock.live.run(f"ALTER TABLE {STOCK} ADD CONSTRAINT plausible CHECK (amount < 1000)")
    stock.run()
    stock.live.run(
        f"ALTER TABLE {STOCK} DROP CONSTRAINT plausible",
        "INSERT INTO public.facilities VALUES (21)",
        f"INSERT INTO {STOCK} (facility, day, amount) VALUES (21, '2025-09-10', 5000)",
    )
    assert stock.run().rows == 1
