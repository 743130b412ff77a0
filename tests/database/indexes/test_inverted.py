"""How large an inverted index would be if new: it packs its lists of rows by their distance, so pages count."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.indexing import Templates, Ward
from bed.ledgers import ask
from pgtend.indexes.memory import Memory, ProvenSize
from pgtend.indexes.model import Estimate, Reason
from pgtend.indexes.report import Outcome
from pgtend.postgres.throwaway import ThrowawayServer

NAMES = ("facts", "facts_path", "marks", "tokens", "trigrams", "words")
# Numbers that occur in some fifteen rows each, on pages from which two of three rows have gone.
LOOSE = (
    "CREATE SCHEMA clinic",
    "CREATE TABLE clinic.visits (id int, marks int[]) WITH (autovacuum_enabled = off)",
    """INSERT INTO clinic.visits
        SELECT n, ARRAY(SELECT mod(n * 7919 + m * 104729, 20000) FROM generate_series(1, 30) AS m)
        FROM generate_series(1, 30000) AS n""",
    "DELETE FROM clinic.visits WHERE mod(id, 3) > 0",
    "VACUUM ANALYZE clinic.visits",
    "CREATE INDEX visits_marks ON clinic.visits USING gin (marks)",
)
# Documents that are kept outside of the table, of which only a few bytes are on its pages.
LONG = (
    "CREATE SCHEMA clinic",
    "CREATE TABLE clinic.visits (id int, facts jsonb, note text) WITH (autovacuum_enabled = off)",
    """INSERT INTO clinic.visits
        SELECT n, jsonb_build_object('step', mod(n, 9), 'long', (SELECT string_agg(md5((n * m)::text), '')
            FROM generate_series(1, 100) AS m)), 'note ' || n FROM generate_series(1, 1500) AS n""",
    "DELETE FROM clinic.visits WHERE mod(id, 3) = 0",
    "VACUUM ANALYZE clinic.visits",
    "CREATE INDEX visits_facts ON clinic.visits USING gin (facts)",
)
MARKS = "clinic.visits_marks"


@pytest.fixture
def notes(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a table with six inverted indexes of different classes, all bloated."""
    with templates.copy(server, "inverted") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


def ward_of(live: LiveDatabase, folder: Path, *texts: str) -> Ward:
    """Furnish an empty database."""
    live.run(*texts, address=live.owner)
    return Ward(live, folder, live.owner)


def estimated(ward: Ward, name: str, memory: Memory | None = None) -> Estimate:
    """Estimate one index."""
    found = ward.decision(name, memory).index.estimate
    assert found is not None
    return found


def size_of(ward: Ward, name: str) -> int:
    """Ask for the size of a table or an index."""
    with ward.session() as session:
        return int(str(ask(session, f"SELECT pg_relation_size('{name}')")[0]))


def test_whatever_it_is_made_of_its_size_is_known_exactly(notes: Ward) -> None:
    """Documents, arrays, words and trigrams: each comes to the byte that was predicted from the pages as they are."""
    report = notes.work(*(f"clinic.notes_{name}" for name in NAMES), insists=True)
    proved = {result.name: result.missed_by for result in report.ended(Outcome.PROVED)}
    assert proved == dict.fromkeys((f"clinic.notes_{name}" for name in NAMES), 0.0)


@pytest.mark.pg(">= 18")
def test_above_the_budget_nothing_is_promised_before_a_drill(database: LiveDatabase, tmp_path: Path) -> None:
    """A restored copy as it is would promise a third too much; so nobody takes its size for that of a rebuild."""
    ward = ward_of(database, tmp_path / "ledger", *LOOSE)
    ward.rules = {**ward.rules, "read_budget": "1 MB", "bloat_limit": 1.1}
    tight = ProvenSize(schema_name="clinic", index_name="visits_marks", definition_sha256="d", size=8192, rows=10000)
    decision = ward.decision(MARKS, Memory(proven={("clinic", "visits_marks"): tight}))
    assert (decision.rebuild, decision.reason) == (False, Reason.AWAITS_DRILL)
    assert decision.index.estimate is None


def test_a_build_that_exceeds_its_memory_tells_nothing_where_several_processes_do_it(
    notes: Ward, server: ThrowawayServer
) -> None:
    """They build in one go, and the copy is built by one process in several, which gives another size."""
    notes.rules = {**notes.rules, "memory": "1 MB"}
    decision = notes.decision("clinic.notes_trigrams")
    if server.tools.major < 18:
        assert (decision.reason, decision.index.estimate is None) == (Reason.SWOLLEN, False)
    else:
        assert (decision.reason, decision.index.estimate is None) == (Reason.AWAITS_DRILL, True)


@pytest.mark.pg(">= 18")
def test_what_lies_outside_of_a_table_takes_no_room_on_its_pages(database: LiveDatabase, tmp_path: Path) -> None:
    """Long documents are kept elsewhere, also by the copy."""
    ward = ward_of(database, tmp_path / "ledger", *LONG)
    result = ward.work("clinic.visits_facts", insists=True).results[0]
    estimate = result.decision.index.estimate
    assert estimate is not None
    assert estimate.error == 0.03
    assert result.missed_by == pytest.approx(0.0, abs=0.02)
