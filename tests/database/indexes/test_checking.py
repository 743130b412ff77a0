"""Whether indexes hold: sound ones, damaged ones, and those that nobody can use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bed.clusters import MAJORS, asked, new_database, tools_of
from bed.indexing import Ward
from pgtend.indexes import checking
from pgtend.indexes.checking import CheckReport, Verdict, check_indexes
from pgtend.indexes.errors import IndexDamaged, IndexInvalid
from pgtend.indexes.usage import Census, collect_indexes
from pgtend.ledger.model import Subject
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer


def checked(ward: Ward, *, every_row: bool = False) -> CheckReport:
    """Verify all indexes."""
    subject = Subject("clinic", "index_check", "test")
    address = ward.live.superuser
    return check_indexes(ward.database, address, ward.ledger, subject, ward.lines.append, every_row=every_row)


def test_sound_indexes_are_seen_and_others_said_not_to_be(ward: Ward) -> None:
    """Six B-trees and that of the TOAST table are sound; a GIN index cannot be looked at, and that is said."""
    ward.live.run("CREATE EXTENSION amcheck")
    report = checked(ward, every_row=True)
    assert len(report.with_verdict(Verdict.SOUND)) == 7
    assert [check.index_name for check in report.with_verdict(Verdict.NOT_SEEN)] == ["visits_context"]


@pytest.mark.pg(">= 18")
def test_without_the_extension_nothing_counts_as_sound(ward: Ward) -> None:
    """Not seen is not fine."""
    assert checked(ward).with_verdict(Verdict.SOUND) == ()


def test_an_index_that_is_dropped_meanwhile_is_not_damaged(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody drops one and rebuilds another before their turn comes: nobody is paged for that."""

    def meanwhile(session: Session, node: str) -> Census:
        census = collect_indexes(session, node)
        ward.live.run("DROP INDEX clinic.visits_kind", "REINDEX INDEX CONCURRENTLY clinic.visits_device")
        return census

    ward.live.run("CREATE EXTENSION amcheck")
    monkeypatch.setattr(checking, "collect_indexes", meanwhile)
    report = checked(ward)
    assert len(report.with_verdict(Verdict.SOUND)) == 5
    assert {check.index_name for check in report.with_verdict(Verdict.NOT_SEEN)} == {
        "visits_context",
        "visits_device",
        "visits_kind",
    }


@pytest.mark.pg(">= 18")
def test_an_invalid_index_is_reported(ward: Ward) -> None:
    """It serves nobody and costs every writer."""
    ward.live.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'clinic.visits_kind'::regclass")
    with pytest.raises(IndexInvalid) as caught:
        checked(ward)
    assert "clinic.visits_kind" in caught.value.detail


@pytest.mark.parametrize("major", MAJORS)
def test_a_damaged_index_pages_somebody(major: int, tmp_path: Path) -> None:
    """A page of zeros in the middle of a B-tree is found, and the index is named."""
    with ThrowawayServer(tools=tools_of(major)) as server, new_database(server) as live:
        live.run(
            "CREATE EXTENSION amcheck",
            "CREATE TABLE public.visits AS SELECT generate_series(1, 20000) AS id",
            "CREATE INDEX visits_id ON public.visits (id)",
            "CHECKPOINT",
        )
        with live.session() as session:
            path = session.row(asked("SELECT pg_relation_filepath('public.visits_id') AS word")).word
        server.stop(signal.SIGINT)
        with (server.data / path).open("r+b") as file:
            file.seek(8192 * 3)
            file.write(bytes(8192))
        server.start()
        ward = Ward(live, tmp_path / "ledger", live.owner)
        with pytest.raises(IndexDamaged, match=r"public\.visits_id is damaged"):
            checked(ward)
