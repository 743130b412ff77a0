"""The memory of size and use, by name: what survives a rebuild, a lost counter, and a second server."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import MAJORS, Clusters
from bed.indexing import Ward
from bed.ledgers import ask, new_ledger, tell
from pgtend.indexes.advice_model import Kind
from pgtend.indexes.advice_sources import find_candidates
from pgtend.indexes.memory import recall
from pgtend.indexes.usage import note_usage
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.session import Session

pytestmark = pytest.mark.pg(">= 18")
USED = "SELECT coalesce(sum(scans), 0)::int FROM reporting.index_uses WHERE index_name = 'visits_patient_at'"
STATE = "SELECT count(*)::int FROM reporting.indexes WHERE used_at IS NOT NULL"


@pytest.fixture(scope="module")
def ledger(clusters: Clusters) -> Generator[Session]:
    """Give a reporting database to all of these tests."""
    with new_ledger(clusters.server(MAJORS[-1])) as reporting, reporting.session() as session:
        yield session


@pytest.fixture
def memory(ledger: Session) -> Session:
    """Forget what another test wrote down."""
    tell(ledger, "TRUNCATE reporting.index_look, reporting.index_use, reporting.index_state, reporting.index_rebuild")
    return ledger


def look(ward: Ward, memory: Session, *nodes: str) -> None:
    """Look at all indexes, through each connection."""
    addresses = dict.fromkeys(nodes or ("clinic",), ward.address)
    subject = Subject("clinic", "index_usage", "test")
    note_usage(ward.database, addresses, DatabaseLedger(memory), subject, ward.lines.append)


def use(ward: Ward, times: int) -> None:
    """Let the application look up patients by their index."""
    with ward.live.session(ward.address) as session:
        tell(session, "SET enable_seqscan = off", "SET enable_bitmapscan = off")
        for patient in range(times):
            tell(session, f"SELECT id FROM clinic.visits WHERE patient = {patient}")  # noqa: S608 - a number of ours
        tell(session, "SELECT pg_stat_force_next_flush()")


def test_use_is_counted_from_look_to_look(empty_ward: Ward, memory: Session) -> None:
    """What was counted before the first look says nothing about when; from then on every scan counts once."""
    use(empty_ward, 3)
    look(empty_ward, memory)
    assert ask(memory, STATE) == [0]
    use(empty_ward, 4)
    look(empty_ward, memory)
    look(empty_ward, memory)
    assert ask(memory, USED) == [7]
    assert ask(memory, STATE) == [1]


def test_a_rebuild_changes_the_number_of_an_index_and_not_its_history(empty_ward: Ward, memory: Session) -> None:
    """The new index keeps its name, its definition and so its past."""
    look(empty_ward, memory)
    since = ask(memory, "SELECT watched_since FROM reporting.indexes WHERE index_name = 'visits_patient_at'")
    empty_ward.live.run("REINDEX INDEX CONCURRENTLY clinic.visits_patient_at", address=empty_ward.address)
    use(empty_ward, 2)
    look(empty_ward, memory)
    assert ask(memory, USED) == [2]
    assert ask(memory, "SELECT watched_since FROM reporting.indexes WHERE index_name = 'visits_patient_at'") == since


def test_counters_that_went_down_begin_a_new_history(empty_ward: Ward, memory: Session) -> None:
    """After a crash, a failover or a reset nobody knows what was used in between, so the clock starts again."""
    use(empty_ward, 5)
    look(empty_ward, memory)
    empty_ward.live.run("SELECT pg_stat_reset()")
    use(empty_ward, 2)
    look(empty_ward, memory)
    assert ask(memory, USED) == [7]
    assert ask(memory, "SELECT counters_lost FROM reporting.index_looks ORDER BY at") == [False, True]
    assert ask(memory, "SELECT bool_and(watched_since = seen_at) FROM reporting.indexes") == [True]


def test_another_definition_under_the_same_name_is_another_index(empty_ward: Ward, memory: Session) -> None:
    """It has never been used, whatever its predecessor was."""
    look(empty_ward, memory)
    use(empty_ward, 1)
    look(empty_ward, memory)
    assert ask(memory, STATE) == [1]
    empty_ward.live.run(
        "DROP INDEX clinic.visits_patient_at",
        "CREATE INDEX visits_patient_at ON clinic.visits (at)",
        address=empty_ward.address,
    )
    look(empty_ward, memory)
    assert ask(memory, STATE) == [0]


def test_use_on_any_server_is_use(empty_ward: Ward, memory: Session) -> None:
    """What only a standby reads is in use; both servers are counted."""
    look(empty_ward, memory, "clinic", "clinic-standby")
    use(empty_ward, 1)
    look(empty_ward, memory, "clinic-standby")
    assert ask(memory, "SELECT nodes FROM reporting.indexes WHERE index_name = 'visits_patient_at'") == [2]
    assert ask(memory, STATE) == [1]


def test_what_was_rebuilt_is_remembered_for_the_next_decision(ward: Ward, memory: Session) -> None:
    """Size and rows after the rebuild, and how fast rebuilds go, come back from the ledger."""
    ward.kept_by = DatabaseLedger(memory)
    look(ward, memory)
    ward.work("clinic.visits_device")
    known = recall(ward.ledger, "clinic")
    facts = ward.decision("clinic.visits_device", known).index
    assert facts.memory.rebuilt_size == facts.facts.size
    assert facts.memory.rebuilt_at is not None
    assert 0 < known.speed.factor < 100


def test_a_night_without_change_writes_no_index_anew(empty_ward: Ward, memory: Session) -> None:
    """Of thousands of indexes hardly any changes; one that was dropped is forgotten, and all others count as seen."""
    look(empty_ward, memory)
    written = ask(memory, "SELECT max(xmin::text::bigint) FROM reporting.index_state")
    look(empty_ward, memory)
    assert ask(memory, "SELECT max(xmin::text::bigint) FROM reporting.index_state") == written
    assert ask(memory, "SELECT count(DISTINCT seen_at)::int FROM reporting.indexes") == [1]
    assert ask(
        memory,
        "SELECT count(*)::int FROM reporting.indexes WHERE seen_at < (SELECT max(at) FROM reporting.index_looks)",
    ) == [0]
    empty_ward.live.run("DROP INDEX clinic.visits_device", address=empty_ward.address)
    look(empty_ward, memory)
    assert ask(memory, "SELECT count(*)::int FROM reporting.indexes WHERE index_name = 'visits_device'") == [0]


def unused(ward: Ward, memory: Session) -> set[str]:
    """Name what advice holds to be unused."""
    with ward.session() as session:
        found = find_candidates(session, (), DatabaseLedger(memory), ward.database)
    return {one.name for one in found if one.kind is Kind.UNUSED}


def test_what_no_server_used_for_long_enough_may_go(empty_ward: Ward, memory: Session) -> None:
    """Five weeks without a gap and without a scan; never a key, and never what was made anew under the same name."""
    look(empty_ward, memory)
    assert unused(empty_ward, memory) == set()
    tell(memory, "UPDATE reporting.index_state SET watched_since = watched_since - interval '36 days'")
    idle = {f"visits_{name}" for name in ("active", "context", "device", "kind", "lower", "patient_at")}
    assert unused(empty_ward, memory) == idle
    tell(memory, "UPDATE reporting.index_state SET used_at = now() WHERE index_name = 'visits_active'")
    empty_ward.live.run(
        "DROP INDEX clinic.visits_kind",
        "CREATE INDEX visits_kind ON clinic.visits (kind, id)",
        address=empty_ward.address,
    )
    assert unused(empty_ward, memory) == idle - {"visits_active", "visits_kind"}
