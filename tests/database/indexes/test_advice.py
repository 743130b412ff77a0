"""Advice on indexes: what is found from statements and catalogue, and what a copy proves of it or refutes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, asked
from bed.indexing import Templates, Ward
from pgtend.indexes.advice_model import Advice, Kind, Statement, Status
from pgtend.indexes.advice_proof import NoCopy, make_ready, prove_on_copy
from pgtend.indexes.advice_sources import find_candidates, read_tables
from pgtend.indexes.advise import AdviceReport, Inquiry, advise_on_indexes
from pgtend.indexes.leftovers import READ_TABLE_INDEXES, TableIndex
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer

BY_PATIENT = "SELECT * FROM clinic.stays WHERE patient = $1 ORDER BY at DESC LIMIT $2"
OPEN = "SELECT id FROM clinic.stays WHERE NOT closed AND patient = $1"
BY_FACT = "SELECT id FROM clinic.stays WHERE facts @> $1"
BY_KEY = "SELECT * FROM clinic.stays WHERE id = $1"
ADD = "INSERT INTO clinic.rooms (id, name) VALUES ($1, $2)"


def spent(*texts: str) -> tuple[Statement, ...]:
    """Say that these statements cost something."""
    return tuple(Statement(text=text, role="", calls=100_000, exec_ms=500_000.0) for text in texts)


@pytest.fixture
def stays(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a database with some indexes too few and some too many."""
    with templates.copy(server, "stays") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


def found(ward: Ward, statements: Sequence[Statement]) -> set[tuple[Kind, str]]:
    """Find candidates, by what they are and what they would do."""
    with ward.session() as session:
        candidates = find_candidates(session, statements, ward.ledger, ward.database)
    return {(one.kind, one.shape or one.name) for one in candidates if one.table == "stays"}


def test_plans_and_catalogue_show_what_is_missing_and_what_is_too_much(stays: Ward) -> None:
    """Equality before order, truths as partial indexes, jsonb by GIN, foreign keys, duplicates and covered ones."""
    # Of block ranges on its column a foreign key has nothing.
    stays.live.run("CREATE INDEX stays_room_blocks ON clinic.stays USING brin (room)", address=stays.address)
    assert {
        (Kind.MISSING, "USING btree (patient, at DESC)"),
        (Kind.MISSING, "USING btree (patient)"),
        (Kind.MISSING, "USING btree (patient) WHERE NOT closed"),
        (Kind.MISSING, "USING gin (facts jsonb_path_ops)"),
        (Kind.FOREIGN_KEY, "USING btree (room)"),
        (Kind.DUPLICATE, "stays_at_again"),
        (Kind.COVERED, "stays_note"),
    } <= found(stays, spent(BY_PATIENT, OPEN, BY_FACT, BY_KEY))


@pytest.mark.pg(">= 18")
def test_what_is_there_already_is_not_advised_again(stays: Ward) -> None:
    """An adviser that suggests existing indexes is not listened to."""
    stays.live.run("CREATE INDEX mine ON clinic.stays (patient)", address=stays.address)
    assert (Kind.MISSING, "USING btree (patient)") not in found(
        stays, spent("DELETE FROM clinic.stays WHERE patient = $1")
    )


@pytest.fixture
def copy(templates: Templates, server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give a copy of the database, as a restore would."""
    with templates.copy(server, "stays") as made:
        yield made


def proved(ward: Ward, copy: LiveDatabase, statements: Sequence[Statement], tmp_path: Path) -> AdviceReport:
    """Work out advice with these statements as the dearest, and prove it on the copy."""
    with ward.session() as session, copy.session() as tried:
        candidates = find_candidates(session, statements, ward.ledger, ward.database)
        proofs = prove_on_copy(tried, candidates, statements, ward.lines.append)
    assert proofs
    inquiry = Inquiry(address=ward.address, copy=copy.superuser, folder=tmp_path / "advice")
    subject = Subject("clinic", "index_advice", "test")
    return advise_on_indexes(ward.database, inquiry, ward.ledger, subject, ward.lines.append)


def test_only_what_a_copy_proved_is_advised(stays: Ward, copy: LiveDatabase, tmp_path: Path) -> None:
    """Foreign key, duplicate and covered index come as reviewed pairs of files; the database itself is unchanged."""
    report = proved(stays, copy, spent(BY_PATIENT, BY_KEY), tmp_path)
    advised: dict[str, Advice] = {a.candidate.name: a for a in report.with_status(Status.ADVISED)}
    kinds = {advice.candidate.kind for advice in advised.values()}
    assert {Kind.FOREIGN_KEY, Kind.DUPLICATE} <= kinds
    for advice in advised.values():
        assert advice.proof is not None
        assert advice.proof.worst_harm <= 0.05
        assert not advice.candidate.is_new or advice.proof.gain >= 0.3
    key = next(a for a in advised.values() if a.candidate.kind is Kind.FOREIGN_KEY)
    up = (tmp_path / "advice" / Path(report.delivered[key.candidate.name]).name).read_text()
    assert "CREATE INDEX CONCURRENTLY" in up
    assert "nothing does so by itself" in up
    down = next((tmp_path / "advice").glob(f"*_{key.candidate.name}.down.sql")).read_text()
    assert f'DROP INDEX CONCURRENTLY "clinic"."{key.candidate.name}";' in down


def test_statements_are_run_with_values_that_exist(stays: Ward, copy: LiveDatabase) -> None:
    """A statement without its values is given some from the copy, and its gain from a good index is large."""
    statements = spent(BY_PATIENT, OPEN, BY_FACT)
    with stays.session() as session, copy.session() as tried:
        candidates = [
            one
            for one in find_candidates(session, statements, stays.ledger, stays.database)
            if one.shape in {"USING btree (patient, at DESC)", "USING gin (facts jsonb_path_ops)"}
        ]
        proofs = prove_on_copy(tried, candidates, statements, stays.lines.append)
    assert len(proofs) == 2
    assert all(proof.gain > 0.3 for proof in proofs.values())
    assert all(proof.size > 0 for proof in proofs.values())


@pytest.mark.pg(">= 18")
def test_trying_changes_nothing_on_the_copy(stays: Ward, copy: LiveDatabase) -> None:
    """Statements that write are rolled back, and every index is as it was before."""
    statement = spent("DELETE FROM clinic.stays WHERE room = $1")
    with copy.session() as session:
        assert make_ready(session, statement[0], read_tables(session)) is not None
        candidates = find_candidates(session, statement, stays.ledger, stays.database)
        before = {index.shape for index in _indexes(copy)}
        prove_on_copy(session, candidates, statement, stays.lines.append)
    assert {index.shape for index in _indexes(copy)} == before
    with copy.session() as session:
        rows = read_tables(session)["stays"].rows
    assert rows == 30_000


def _indexes(copy: LiveDatabase) -> Sequence[TableIndex]:
    with copy.session() as session:
        oid = int(session.row(asked("SELECT 'clinic.stays'::regclass::oid::text AS word")).word)
        return session.rows(READ_TABLE_INDEXES, {"table": oid})


@pytest.mark.pg(">= 18")
def test_nothing_is_tried_on_the_database_itself(stays: Ward, tmp_path: Path) -> None:
    """Building indexes to see what happens is for copies."""
    inquiry = Inquiry(address=stays.address, copy=stays.address, folder=tmp_path)
    with pytest.raises(NoCopy):
        advise_on_indexes(stays.database, inquiry, stays.ledger, Subject("clinic", "index_advice", "test"), str)


@pytest.mark.pg(">= 18")
def test_without_a_copy_everything_stays_a_candidate(stays: Ward, tmp_path: Path) -> None:
    """What is not proved is not advised, and no file is written."""
    inquiry = Inquiry(address=stays.address, folder=tmp_path / "advice")
    subject = Subject("clinic", "index_advice", "test")
    report = advise_on_indexes(stays.database, inquiry, stays.ledger, subject, stays.lines.append)
    assert {advice.status for advice in report.advices} == {Status.CANDIDATE}
    assert not (tmp_path / "advice").exists()
