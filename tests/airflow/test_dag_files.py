"""The DAG files as Airflow sees them: they load, explain themselves, cost little, and survive a broken fleet file."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pendulum
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from bed.dag_parsing import fleet_file, parsed
from pgtend.fleet.load import load_fleet
from pgtend.watchdog.promises import NOT_PROMISED, promise_of_audit, promise_of_backup, promises_in_ledger
from pgtend_airflow.pipelines import FORM

UNRESTRICTED = TimeRestriction(earliest=None, latest=None, catchup=False)
ROOT = Path(__file__).resolve().parents[2]
FIVE = ("kgc", "heliotrope", "scribemed", "vaxtrace", "healthmate")


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> DagBag:
    """Load the DAG files for a fleet file."""
    monkeypatch.setenv("PGTEND_FLEET", str(path))
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, DAG]:
    """Give the DAGs of a fleet of five."""
    bag = loaded(fleet_file(tmp_path, FIVE), monkeypatch)
    assert bag.import_errors == {}
    return bag.dags


def test_each_database_and_pipeline_has_a_dag(dags: dict[str, DAG]) -> None:
    """Five databases with their pipelines and four of the fleet make these DAGs and no other."""
    assert sorted(dags) == [
        "fleet.audit",
        "fleet.channels",
        "fleet.reminders",
        "fleet.report",
        "healthmate.analyze",
        "healthmate.backup",
        "healthmate.health",
        "healthmate.index_advice",
        "healthmate.index_usage",
        "healthmate.reindex",
        "healthmate.restore",
        "healthmate.restore_drill",
        "healthmate.statements",
        "healthmate.verify",
        "heliotrope.analyze",
        "heliotrope.backup",
        "heliotrope.health",
        "heliotrope.index_advice",
        "heliotrope.index_usage",
        "heliotrope.reindex",
        "heliotrope.restore",
        "heliotrope.restore_drill",
        "heliotrope.statements",
        "heliotrope.verify",
        "kgc.analyze",
        "kgc.backup",
        "kgc.health",
        "kgc.index_advice",
        "kgc.index_usage",
        "kgc.reindex",
        "kgc.restore",
        "kgc.restore_drill",
        "kgc.statements",
        "kgc.verify",
        "scribemed.analyze",
        "scribemed.backup",
        "scribemed.health",
        "scribemed.index_advice",
        "scribemed.index_usage",
        "scribemed.reindex",
        "scribemed.restore",
        "scribemed.restore_drill",
        "scribemed.statements",
        "scribemed.verify",
        "vaxtrace.analyze",
        "vaxtrace.backup",
        "vaxtrace.health",
        "vaxtrace.index_advice",
        "vaxtrace.index_usage",
        "vaxtrace.reindex",
        "vaxtrace.restore",
        "vaxtrace.restore_drill",
        "vaxtrace.statements",
        "vaxtrace.verify",
    ]


def test_each_dag_explains_itself_and_can_be_found(dags: dict[str, DAG]) -> None:
    """A page that says what to do when it fails, two tags to filter by, and somebody who answers for it."""
    for dag_id, dag in dags.items():
        subject, pipeline = dag_id.split(".")
        assert dag.doc_md is not None, dag_id
        assert dag.doc_md.strip().startswith("# "), dag_id
        assert "**When it fails" in dag.doc_md, dag_id
        assert dag.tags == {subject, pipeline}
        assert {task.owner for task in dag.tasks} == {"data-platform" if subject == "fleet" else f"{subject}-team"}


def test_every_pipeline_with_a_schedule_is_watched_from_outside(dags: dict[str, DAG], tmp_path: Path) -> None:
    """What nobody expects is missed by nobody: a new pipeline has a place in pgtend.watchdog.promises."""
    fleet = load_fleet(fleet_file(tmp_path, FIVE))
    promised = {promise_of_audit(fleet).key}
    for database in fleet.databases.values():
        promised |= {promise_of_backup(fleet, database).key}
        promised |= {promise.key for promise in promises_in_ledger(fleet, database)}
    scheduled = {dag_id for dag_id, dag in dags.items() if dag.timetable.can_be_scheduled}
    assert promised == scheduled - set(NOT_PROMISED)


def test_unpausing_starts_nothing_by_itself(dags: dict[str, DAG]) -> None:
    """No start date lies in the past, because there is none; nothing is caught up; one run at a time."""
    for dag in dags.values():
        assert dag.start_date is None
        assert dag.catchup is False
        assert dag.max_active_runs == 1


def test_a_time_that_passed_before_a_pipeline_was_unpaused_is_not_made_up_for(
    dags: dict[str, DAG], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow starts a weekly run up to sixteen hours late by itself, whatever window the database has."""
    asked = 0
    for dag_id, dag in dags.items():
        schedule = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).timetable
        if not isinstance(schedule, CronTriggerTimetable):
            continue
        now = pendulum.now("UTC").add(minutes=asked)
        for _ in range(2):
            monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda now=now: now)
            first = schedule.next_dagrun_info(last_automated_data_interval=None, restriction=UNRESTRICTED)
            assert first is not None
            assert first.run_after >= now.subtract(minutes=5), dag_id
            now = first.run_after.add(minutes=16)
        asked += 1
    assert asked > 30


def test_each_task_is_retried_ended_and_told_of(dags: dict[str, DAG]) -> None:
    """Every task has retries by family, a time limit and an alert; the DAG tells what a killed task cannot."""
    for dag in dags.values():
        assert dag.on_failure_callback
        assert dag.on_success_callback
        assert dag.deadline
        for task in dag.tasks:
            if task.task_id == "approve_and_restore":
                assert (task.retries, task.retry_policy, task.execution_timeout) == (0, None, None)
                continue
            assert task.retries == 3
            assert task.retry_policy is not None
            assert task.execution_timeout is not None
            shortest = timedelta(minutes=15) if dag.dag_id.endswith(".health") else timedelta(minutes=30)
            # A restored copy may be kept for a week, and its server lives as long as the task.
            longest = timedelta(days=8) if task.task_id == "drill" else timedelta(hours=6)
            assert shortest <= task.execution_timeout <= longest
            assert task.on_failure_callback


def test_each_field_of_a_form_is_explained_and_takes_no_sql() -> None:
    """Every field has a title, a description and a safe default; none takes a statement, a host or a path."""
    for name, field in FORM.items():
        assert field.schema["title"], name
        assert field.description, name
        assert field.resolve() in (None, False, "latest", "due")
    with pytest.raises(Exception, match="does not match"):
        FORM["tables"].resolve("public.visits; DROP TABLE public.visits")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tables", "public.visits"),
        ("target", "kgc_test"),
        ("backup", "latest"),
        ("backup", "20261121T020000Z-dead0000"),
        ("notify", "night"),
    ],
)
def test_a_field_takes_no_new_line_at_its_end(field: str, value: str) -> None:
    """A restored database could have had one in its name, which nobody sees and everybody has to write."""
    form = deepcopy(FORM[field])
    assert form.resolve(value) == value
    with pytest.raises(Exception, match="does not match"):
        form.resolve(f"{value}\n")


def test_each_dag_survives_being_written_down(dags: dict[str, DAG]) -> None:
    """What the scheduler reads back is what the file says."""
    for dag_id, dag in dags.items():
        again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        assert again.dag_id == dag_id
        assert sorted(again.task_ids) == sorted(dag.task_ids)


@pytest.mark.parametrize(("databases", "limit"), [(5, 1.0), (200, 10.0)])
def test_parsing_is_cheap_and_reaches_for_nothing(
    tmp_path: Path, databases: int, limit: float, record_property: pytest.RecordProperty
) -> None:
    """Beyond importing Airflow a fleet costs little CPU, and no driver of a database or of S3 is imported."""
    names = tuple(f"db{number:03d}" for number in range(databases))
    found = parsed(fleet_file(tmp_path, names))
    record_property(f"parsing {databases} databases, CPU seconds", round(found.cpu, 2))
    print(f"parsing {databases} databases: {found.cpu:.2f} s of CPU")  # noqa: T201 - a figure people ask for
    assert len(found.dags) == databases * 10 + 4
    assert found.drivers == []
    assert found.cpu < limit


def test_a_task_run_parses_its_own_dag_only(tmp_path: Path) -> None:
    """Among two hundred databases a task of one of them builds one DAG."""
    names = tuple(f"db{number:03d}" for number in range(200))
    found = parsed(fleet_file(tmp_path, names), dag_id="db007.analyze")
    print(f"parsing for one task of 200 databases: {found.cpu:.2f} s of CPU")  # noqa: T201 - same
    assert found.dags == ["db007.analyze"]


def test_a_broken_fleet_file_is_one_error_with_every_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown key, bad cron and unknown connection stand in one import error; the sound databases keep their DAGs."""
    path = fleet_file(tmp_path, ("kgc",), "connections: environment\n")
    path.write_text(
        path.read_text()
        + "  heliotrope:\n    analize: {}\n"
        + "  scribemed:\n    analyze:\n      schedule: every night\n"
        + "  vaxtrace:\n    connection: vaxtrase\n"
    )
    for name in ("KGC", "HELIOTROPE", "SCRIBEMED", "VAXTRACE"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", "postgres://pgtend@127.0.0.1/x")
    bag = loaded(path, monkeypatch)
    assert [Path(name).name for name in bag.import_errors] == ["fleet_file.py"]
    (told,) = bag.import_errors.values()
    assert "databases.heliotrope.analize" in told
    assert "did you mean 'analyze'?" in told
    assert "databases.scribemed.analyze.schedule" in told
    assert "databases.vaxtrace.connection" in told
    assert sorted(bag.dags) == [
        "fleet.audit",
        "fleet.channels",
        "fleet.reminders",
        "fleet.report",
        "kgc.analyze",
        "kgc.backup",
        "kgc.health",
        "kgc.index_advice",
        "kgc.index_usage",
        "kgc.reindex",
        "kgc.restore",
        "kgc.restore_drill",
        "kgc.statements",
        "kgc.verify",
    ]


def test_a_missing_fleet_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a fleet file there is one error that names the file and the command that writes one."""
    bag = loaded(tmp_path / "nowhere.yaml", monkeypatch)
    (told,) = bag.import_errors.values()
    assert "nowhere.yaml" in told
    assert "pgtend init" in told
    assert bag.dags == {}
