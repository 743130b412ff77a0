"""A physical standby as the source: a backup where that is safe, a refusal where it is not, and no failover lies."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.backups import KEYS, Depot, tools_on_path
from bed.clusters import LiveDatabase, asked, statement
from bed.faulty_network import faulty_network
from bed.standbys import primary_and_standby
from database.backup.test_faults import copying, nothing_stays_and_the_next_succeeds, once
from pgtend.backup import advisories
from pgtend.backup.errors import NotReady, SourceChanged
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

MAJOR = 18


@pytest.fixture
def standby() -> Generator[ThrowawayServer]:
    """Run a primary with rows, and a standby that has them."""
    with primary_and_standby(MAJOR) as (primary, standby):
        with primary.session() as session:
            session.run(statement("CREATE TABLE public.scans (id int PRIMARY KEY, content text)"))
            fill = "INSERT INTO public.scans SELECT x, repeat(md5(x::text), 20) FROM generate_series(1, 20000) AS x"
            session.run(statement(fill))
            (there,) = session.rows(asked("SELECT pg_current_wal_lsn()::text AS word"))
        replayed = asked(f"SELECT (pg_last_wal_replay_lsn() >= '{there.word}')::text AS word")
        with standby.session() as session:
            while session.row(replayed).word != "true":
                time.sleep(0.02)
        yield standby


@pytest.fixture
def depot(standby: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Depot:
    """Back up the standby."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(MAJOR))
    live = LiveDatabase(standby, "postgres", standby.superuser())
    vault = FolderVault(FolderPlace(path=tmp_path / "vault", may_create=True))
    return Depot(live, vault, tmp_path / "ledger", standby.superuser())


def advisory(minor: int) -> advisories.Advisory:
    """Invent a defect that this minor version repaired."""
    return advisories.Advisory("CVE-0000-0000", "it is not sound", {MAJOR: minor})


def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server of this test count as one without known defects."""
    monkeypatch.setattr(advisories, "_UNSOUND", (advisory(0),))


def test_a_standby_is_backed_up_where_that_is_safe_and_refused_where_it_is_not(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a repair, sharing a snapshot there could damage the dump and the standby; after it every row is there."""
    monkeypatch.setattr(advisories, "_UNSOUND", (advisory(99),))
    with pytest.raises(NotReady, match="sharing a snapshot on this standby may damage"):
        depot.take()
    assert depot.stored() == []
    sound(monkeypatch)
    made = depot.take()
    assert (made.source.is_standby, made.rows) == (True, 20000)
    assert verify_backup(depot.vault, made, KEYS, quietly).faults == ()


def test_a_failover_in_the_middle_is_no_backup(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standby becomes the primary while it is copied: what was held there before holds nothing any more."""
    sound(monkeypatch)
    standby = depot.live.server
    straight = depot.address

    def promote() -> None:
        with standby.session() as session:
            session.rows(asked("SELECT pg_promote()::text AS word"))

    with faulty_network(standby.port) as network:
        role = standby.tcp_role("postgres", standby.password, "postgres")
        depot.address = role.to(port=str(network.port), sslmode="disable")
        network.bytes_per_second = 6_000_000
        with once(copying(depot), promote), pytest.raises(SourceChanged, match="changed its role"):
            depot.take()
    depot.address = straight
    nothing_stays_and_the_next_succeeds(depot)
