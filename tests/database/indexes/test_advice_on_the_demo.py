"""Advice on a database of the demo, from what its application did there, and rebuilds of it: proved and reversible."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bed.advised import WISHES, Worked, served, worked_fleet
from demo.databases.roster import at_database
from pgtend.indexes.advice_model import Status
from pgtend.indexes.advise import AdviceReport
from pgtend.indexes.report import Outcome

TEAM = "healthmate"
ACTIONS = 300
INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid >= 16384 ORDER BY 1"


@pytest.fixture(scope="module")
def worked() -> Generator[Worked]:
    """Give a database without one of the indexes its team wants, after some work of its application."""
    with worked_fleet(18, [TEAM], size="development") as made:
        made.work(TEAM, ACTIONS)
        yield made


@pytest.fixture(scope="module")
def report(worked: Worked, tmp_path_factory: pytest.TempPathFactory) -> AdviceReport:
    """Work out advice, and prove it on a copy."""
    return worked.advise(TEAM, tmp_path_factory.mktemp("advice"))


def test_what_is_advised_was_proved_and_harms_nobody(report: AdviceReport) -> None:
    """Every new index makes a statement at least 30 % faster, and no other slower by more than 5 %."""
    advised = report.with_status(Status.ADVISED)
    proofs = [(one.candidate.is_new, one.proof) for one in advised]
    assert advised
    for is_new, proof in proofs:
        assert proof is not None
        assert not is_new or proof.gain >= 0.3
        assert proof.worst_harm <= 0.05


def test_what_the_team_wants_for_its_largest_table_is_found(report: AdviceReport) -> None:
    """By person, by kind and by time its readings are asked for: each has an index, or is served by another one."""
    verdicts = {str(wish): served(report, wish).split(":")[0] for wish in WISHES[TEAM] if wish.table == "health_data"}
    assert len(verdicts) == 4
    assert set(verdicts.values()) <= {"advised", "needless"}
    assert "advised" in verdicts.values()


def test_a_pair_of_files_does_it_and_takes_it_back(worked: Worked, report: AdviceReport) -> None:
    """Both run as they are written, outside of a transaction, and leave the database as it was."""
    files = [Path(place) for place in report.delivered.values()]
    assert files
    with closing(_connect(worked)) as connection:
        before = _indexes(connection)
        _run(connection, files)
        assert len(_indexes(connection)) == len(before) + len(files)
        _run(connection, [path.with_name(path.name.replace(".sql", ".down.sql")) for path in files])
        assert _indexes(connection) == before


def test_no_index_of_it_shrinks_less_than_was_predicted(worked: Worked, tmp_path: Path) -> None:
    """After every row was changed twice each index that was rebuilt wins what it was predicted to, all but exactly."""
    with worked.copy_of(TEAM) as copy:
        proved = worked.rebuild(copy, tmp_path).ended(Outcome.PROVED)
    assert len(proved) >= 3
    assert {one.name: one.missed_by for one in proved if abs(one.missed_by or 0) > 0.01} == {}
    assert [one.name for one in proved if one.gained < 0.85 * one.decision.gain] == []


def _connect(worked: Worked) -> psycopg.Connection:
    return psycopg.connect(at_database(worked.server.superuser().conninfo, TEAM), autocommit=True)


def _indexes(connection: psycopg.Connection) -> list[tuple[str, ...]]:
    return connection.execute(INDEXES).fetchall()


def _run(connection: psycopg.Connection, files: list[Path]) -> None:
    for path in files:
        statements = re.sub(r"(?m)^--.*$", "", path.read_text(encoding="utf-8"))
        connection.execute(statements.encode())
