"""What a drill finds out about inverted indexes of tables that are too large to be read: rows lie as in production."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.drilled import drilled, restored, spread_on
from bed.indexing import Templates, Ward
from bed.ledgers import ask, tell
from pgtend.indexes.memory import Memory, SpreadSize
from pgtend.indexes.model import Estimate, Method, Reason
from pgtend.indexes.occupancy import Occupancy, note_occupancies, read_occupancy
from pgtend.indexes.report import Outcome
from pgtend.indexes.usage import collect_indexes
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer

NAMES = ("facts", "facts_path", "marks", "tokens", "trigrams", "words")
PAGE = 8192
# Part of the table, an expression, two keys, a name with a quote: and documents that lie outside of it.
CROOKED = (
    "CREATE SCHEMA clinic",
    """CREATE TABLE clinic."a 'visit'" (id int, "a %%" jsonb, note text) WITH (autovacuum_enabled = off)""",
    """INSERT INTO clinic."a 'visit'" SELECT n, jsonb_build_object('step', mod(n * 7919, 3000), 'long',
        CASE WHEN mod(n, 50) = 0
            THEN (SELECT string_agg(md5((n * m)::text), '') FROM generate_series(1, 200) AS m) END),
        'note ' || mod(n * 104729, 900) FROM generate_series(1, 12000) AS n""",
    """DELETE FROM clinic."a 'visit'" WHERE mod(id, 5) > mod(id / 1000, 4) OR id BETWEEN 3000 AND 5000""",
    """VACUUM ANALYZE clinic."a 'visit'" """,
    """CREATE INDEX visits_part ON clinic."a 'visit'" USING gin ("a %%" jsonb_path_ops) WHERE note LIKE 'note 1%%'""",
    "CREATE FUNCTION clinic.parts(text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$ SELECT string_to_array($1, ' ') $$",
    """CREATE INDEX visits_parts ON clinic."a 'visit'" USING gin (clinic.parts(note))""",
    """CREATE INDEX visits_both ON clinic."a 'visit'" USING gin (to_tsvector('simple', note), ("a %%" -> 'step'))""",
)
DIGEST = "SELECT encode(sha256(convert_to(pg_get_indexdef('clinic.notes_marks'::regclass), 'UTF8')), 'hex')"
BROKEN = (
    "CREATE OR REPLACE FUNCTION clinic.parts(text) RETURNS text[] LANGUAGE sql IMMUTABLE"
    " RETURN ARRAY[(1 / (length($1) - length($1)))::text]"
)
PAGES = """FROM (
    SELECT (ctid::text::point)[0]::bigint AS block, count(*) AS rows FROM clinic."a 'visit'" GROUP BY 1
) AS p ORDER BY block"""


@pytest.fixture
def notes(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a table with six inverted indexes of different classes, all bloated."""
    with templates.copy(server, "inverted") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


@pytest.fixture
def crooked(database: LiveDatabase, tmp_path: Path) -> Ward:
    """Give a table whose pages are unequally full, and whose inverted indexes are not of plain columns."""
    database.run(*CROOKED, address=database.owner)
    return Ward(database, tmp_path / "ledger", database.owner)


def occupancy_of(ward: Ward, *, most: int) -> Occupancy:
    """Look at so many pages of the only table with inverted indexes."""
    with ward.session() as session:
        index = next(one for one in collect_indexes(session, "").indexes if one.kind == "gin")
        return read_occupancy(session, "clinic", index, most * PAGE)


def rebuilt_sizes(ward: Ward, names: tuple[str, ...]) -> dict[str, int]:
    """Rebuild for real, and tell what that came to."""
    report = ward.work(*(f"clinic.{name}" for name in names), insists=True)
    return {one.name.removeprefix("clinic."): one.size_after or 0 for one in report.ended(Outcome.PROVED)}


def test_a_quarter_of_the_pages_tells_the_size_whatever_it_is_made_of(notes: Ward, server: ThrowawayServer) -> None:
    """Within 3 %, or a page where that is more; before the drill nothing is told."""
    notes.rules = {**notes.rules, "read_budget": "1 MB"}
    assert notes.decision("clinic.notes_marks").reason is Reason.AWAITS_DRILL
    memory = drilled(notes, server, one_in=4)
    found = {name: notes.decision(f"clinic.notes_{name}", memory).index.estimate for name in NAMES}
    truth = rebuilt_sizes(notes, tuple(f"notes_{name}" for name in NAMES))
    for name, estimate in found.items():
        assert estimate is not None
        assert (estimate.method, estimate.error) == (Method.DRILL, 0.03)
        true = truth[f"notes_{name}"]
        assert abs(estimate.size - true) <= max(0.03 * true, PAGE), name


@pytest.mark.pg(">= 18")
def test_parts_expressions_and_several_keys_are_told_too(crooked: Ward, server: ThrowawayServer) -> None:
    """The index of the drill is the one of production, on the same rows."""
    occupancy = occupancy_of(crooked, most=100)
    with restored(crooked.live, server) as copy:
        found = {one.index_name: one.bytes for one in spread_on(crooked, copy, [occupancy])}
        names = ask(copy, "SELECT relname::text FROM pg_class WHERE relname LIKE 'pgtend%'")
    truth = rebuilt_sizes(crooked, ("visits_part", "visits_parts", "visits_both"))
    assert found.keys() == truth.keys()
    assert all(abs(found[name] - true) <= max(0.03 * true, PAGE) for name, true in truth.items())
    assert names == []


def test_rows_are_counted_on_each_page_and_empty_ones_have_none(crooked: Ward) -> None:
    """What is read from the places of rows is what the table says of itself."""
    found = occupancy_of(crooked, most=10**6)
    with crooked.session() as session:
        on_page = dict(zip(ask(session, f"SELECT block {PAGES}"), ask(session, f"SELECT rows {PAGES}"), strict=True))
    looked_at = [first + place for first in found.firsts for place in range(8)]
    assert list(found.rows_on_pages) == [on_page.get(page, 0) for page in looked_at]
    assert found.pages - 8 < len(looked_at) <= found.pages
    assert 0 in found.rows_on_pages


@pytest.mark.pg(">= 18")
def test_what_stands_in_the_way_is_said_and_tells_nothing(crooked: Ward, server: ThrowawayServer) -> None:
    """No time, no room, no such table, no row anywhere: whatever it is, the next table has its turn."""
    sound = occupancy_of(crooked, most=10)
    empty = replace(sound, rows_on_pages=[0] * len(sound.rows_on_pages))
    vast = replace(sound, pages=10**12)
    with restored(crooked.live, server) as copy:
        assert spread_on(crooked, copy, [sound], seconds=0) == []
        assert crooked.lines == ["the time is over: the rows of 1 table are not spread as in production"]
        assert spread_on(crooked, copy, [empty, replace(sound, table_name="gone")]) == []
        assert len(crooked.lines) == 1
        copy.connection.execute(BROKEN)
        found = spread_on(crooked, copy, [vast, replace(sound, pages=2), sound])
        assert [one.index_name for one in found] == ["visits_both", "visits_part"]
    said = [re.sub(r"[\d.]+ [kGT]?B", "...", line) for line in crooked.lines[1:]]
    assert said == [
        "clinic.a 'visit': ... of disk would be needed to spread its rows, ... are free",
        "clinic.visits_both: its rows could not be spread over as many pages as in production",
        "clinic.visits_part: its rows could not be spread over as many pages as in production",
        "clinic.visits_parts could not be built on rows as in production [postgres.rows_broken]",
        "clinic.visits_both: ... on pages as full as in production",
        "clinic.visits_part: ... on pages as full as in production",
        "clinic.visits_parts could not be built on rows as in production [postgres.rows_broken]",
    ]


@pytest.mark.pg(">= 18")
def test_a_drill_counts_for_a_table_that_is_as_it_was(notes: Ward) -> None:
    """For more rows it is scaled, with as much doubt; pages that are fuller or emptier by a quarter end it."""
    notes.rules = {**notes.rules, "read_budget": "1 MB"}
    index = notes.decision("clinic.notes_marks").index.facts
    with notes.session() as session:
        known = SpreadSize(
            schema_name="clinic",
            index_name="notes_marks",
            definition_sha256=str(ask(session, DIGEST)[0]),
            size=80 * PAGE,
            rows=index.table_rows,
            pages=index.table_size // PAGE,
        )

    def estimated(**different: object) -> Estimate | None:
        memory = Memory(spread={("clinic", "notes_marks"): replace(known, **different)})  # type: ignore[arg-type]
        return notes.decision("clinic.notes_marks", memory).index.estimate

    fewer_rows, fewer_pages = round(known.rows * 0.8), round(known.pages * 0.8)
    assert estimated() == Estimate(size=80 * PAGE, method=Method.DRILL, error=0.03)
    grown = estimated(rows=fewer_rows, pages=fewer_pages)
    assert grown is not None
    assert (grown.size, grown.method, round(grown.error, 2)) == (100 * PAGE, Method.DRILL, 0.25)
    assert estimated(pages=round(known.pages * 0.82)) == Estimate(size=80 * PAGE, method=Method.DRILL, error=0.03)
    assert estimated(pages=round(known.pages * 0.78)) is None
    assert estimated(pages=round(known.pages * 1.28)) is None
    assert estimated(definition_sha256="of another one") is None


@pytest.mark.pg(">= 18")
def test_a_table_that_somebody_locks_is_passed_over(notes: Ward) -> None:
    """How full its pages are is seen another time; the run goes on."""
    notes.rules = {**notes.rules, "read_budget": "1 MB"}
    notes.limits = {**notes.limits, "lock_timeout": "100 ms"}
    plan, lines = notes.plan(), list[str]()
    with notes.ledger.run(Subject("clinic", "reindex", "test")) as run, notes.session() as session:
        with notes.session() as other, other.transaction():
            tell(other, "LOCK TABLE clinic.notes IN ACCESS EXCLUSIVE MODE")
            note_occupancies(session, notes.database, plan, run, lines.append)
        note_occupancies(session, notes.database, plan, run, lines.append)
    assert [line.split(":")[0] for line in lines] == [
        "how full the pages of clinic.notes are could not be seen [postgres.locked_out]",
        "128 pages of clinic.notes looked at",
    ]


@pytest.mark.pg(">= 18")
def test_of_an_empty_table_nothing_is_noted(notes: Ward) -> None:
    """Its inverted indexes stay as large as they were, and no page of it is left to look at."""
    with notes.session() as session:
        tell(session, "DELETE FROM clinic.notes", "VACUUM clinic.notes")
    plan, lines = notes.plan(only=("clinic.notes_marks",)), list[str]()
    assert plan.count(Reason.UNKNOWN) == 1
    with notes.ledger.run(Subject("clinic", "reindex", "test")) as run, notes.session() as session:
        note_occupancies(session, notes.database, plan, run, lines.append)
    assert lines == []
