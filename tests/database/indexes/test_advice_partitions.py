"""Foreign keys of partitioned tables: found, proved on a copy, and indexed while the table is in use."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, new_database
from bed.indexing import Ward
from bed.ledgers import ask
from pgtend.indexes.advice_model import Candidate, Kind, Status
from pgtend.indexes.advice_sources import find_candidates
from pgtend.indexes.advise import Inquiry, advise_on_indexes
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer

# A partition whose columns were numbered otherwise, and one that is partitioned again.
MADE = (
    "CREATE SCHEMA clinic",
    "CREATE TABLE clinic.rooms (id int PRIMARY KEY)",
    "CREATE TABLE clinic.visits (id int, room int REFERENCES clinic.rooms, note text) PARTITION BY RANGE (id)",
    "CREATE TABLE clinic.visits_early PARTITION OF clinic.visits FOR VALUES FROM (0) TO (10000)",
    """CREATE TABLE clinic.visits_late PARTITION OF clinic.visits FOR VALUES FROM (10000) TO (90000)
        PARTITION BY RANGE (id)""",
    "CREATE TABLE clinic.visits_later (gone int, note text, room int, id int)",
    "ALTER TABLE clinic.visits_later DROP COLUMN gone",
    "ALTER TABLE clinic.visits_late ATTACH PARTITION clinic.visits_later FOR VALUES FROM (10000) TO (30000)",
    """CREATE TABLE clinic."visits Latest" PARTITION OF clinic.visits_late FOR VALUES FROM (30000) TO (90000)""",
    "INSERT INTO clinic.rooms SELECT n FROM generate_series(1, 300) AS n",
    "INSERT INTO clinic.visits SELECT n, mod(n, 300) + 1, md5(n::text) FROM generate_series(1, 40000) AS n",
    "ANALYZE",
)
ROOM = "USING btree (room)"
VALID = """SELECT format('%s of %s', count(*) FILTER (WHERE i.indisvalid), count(*))
    FROM pg_partition_tree('clinic.{name}') AS p JOIN pg_index AS i ON i.indexrelid = p.relid"""


@pytest.fixture
def visits(database: LiveDatabase, tmp_path: Path) -> Ward:
    """Give a partitioned table with a foreign key that no index serves."""
    database.run(*MADE, address=database.owner)
    return Ward(database, tmp_path / "ledger", database.owner)


@pytest.fixture
def copy(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give another database with the same rows."""
    with new_database(server) as made:
        made.run(*MADE)
        yield made


def bare_keys(ward: Ward) -> list[Candidate]:
    """Find the foreign keys that want an index."""
    with ward.session() as session:
        found = find_candidates(session, (), ward.ledger, ward.database)
    return [one for one in found if one.kind is Kind.FOREIGN_KEY]


def run_file(ward: Ward, path: Path) -> None:
    """Run a delivered file as a person would, statement by statement."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    ward.live.run(*lines, address=ward.address)


def test_every_partition_gets_its_index_and_then_the_whole_is_valid(
    visits: Ward, copy: LiveDatabase, tmp_path: Path
) -> None:
    """The proved pair of files indexes all partitions, one of them two levels down, and takes that back again."""
    inquiry = Inquiry(address=visits.address, copy=copy.superuser, folder=tmp_path / "advice")
    subject = Subject("clinic", "index_advice", "test")
    report = advise_on_indexes(visits.database, inquiry, visits.ledger, subject, visits.lines.append)
    (advice,) = report.with_status(Status.ADVISED)
    assert (advice.candidate.table, advice.candidate.shape) == ("visits", ROOM)
    assert advice.proof is not None
    assert advice.proof.gain >= 0.3
    assert advice.proof.size > 24 * 8192
    up = Path(report.delivered[advice.candidate.name])
    run_file(visits, up)
    with visits.session() as session:
        assert ask(session, VALID.format(name=advice.candidate.name)) == ["5 of 5"]
    assert bare_keys(visits) == []
    run_file(visits, up.with_suffix(".down.sql"))
    assert [one.shape for one in bare_keys(visits)] == [ROOM]


def test_what_the_file_says_can_be_read(visits: Ward) -> None:
    """Builds are concurrent and patient; what others would wait behind gives up after five seconds."""
    (found,) = bare_keys(visits)
    names = {one.table: one.index for one in found.partitions}
    assert found.up.splitlines() == [
        "SET lock_timeout = '5s';",
        f'CREATE INDEX "{found.name}" ON ONLY "clinic"."visits" {ROOM};',
        "RESET lock_timeout;",
        f'CREATE INDEX CONCURRENTLY "{names["visits_early"]}" ON "clinic"."visits_early" {ROOM};',
        "SET lock_timeout = '5s';",
        f'ALTER INDEX "clinic"."{found.name}" ATTACH PARTITION "clinic"."{names["visits_early"]}";',
        f'CREATE INDEX "{names["visits_late"]}" ON ONLY "clinic"."visits_late" {ROOM};',
        f'ALTER INDEX "clinic"."{found.name}" ATTACH PARTITION "clinic"."{names["visits_late"]}";',
        "RESET lock_timeout;",
        f'CREATE INDEX CONCURRENTLY "{names["visits Latest"]}" ON "clinic"."visits Latest" {ROOM};',
        "SET lock_timeout = '5s';",
        f'ALTER INDEX "clinic"."{names["visits_late"]}" ATTACH PARTITION "clinic"."{names["visits Latest"]}";',
        "RESET lock_timeout;",
        f'CREATE INDEX CONCURRENTLY "{names["visits_later"]}" ON "clinic"."visits_later" {ROOM};',
        "SET lock_timeout = '5s';",
        f'ALTER INDEX "clinic"."{names["visits_late"]}" ATTACH PARTITION "clinic"."{names["visits_later"]}";',
        "RESET lock_timeout;",
    ]
    assert found.down.splitlines() == [
        "SET lock_timeout = '5s';",
        f'DROP INDEX "clinic"."{found.name}";',
        "RESET lock_timeout;",
    ]


@pytest.mark.pg(">= 18")
def test_partitions_that_each_have_an_index_need_none(visits: Ward) -> None:
    """An index serves whether or not the whole table has one; one partition without is enough to advise."""
    tables = ("visits_early", "visits_later", '"visits Latest"')
    for table in tables:
        assert [one.shape for one in bare_keys(visits)] == [ROOM]
        visits.live.run(f"CREATE INDEX ON clinic.{table} (room)", address=visits.address)
    assert bare_keys(visits) == []
