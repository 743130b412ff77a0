"""The pipeline `archive` inside Airflow: the first run of a rule waits for a person, later ones for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from bed.airflow_world import ROOT, World
from bed.archiving import HEALTH_METRICS, METRICS, USERS, filled, own
from bed.clusters import asked
from pgtend.archive.memory import approve
from pgtend.archive.model import rule_digest
from pgtend.archive.names import Names
from pgtend.fleet.load import load_fleet
from pgtend_airflow.first_runs import ApprovedFirstRun

ANA = {"id": "ana", "name": "ana"}
RULE = f"archive: {{tables: {{{METRICS}: {{by: date}}}}}}"


@dataclass(frozen=True, slots=True)
class Started:
    """A run as the approval sees it."""

    triggering_user_name: str | None


class Watched(ApprovedFirstRun):
    """The approval, with an archive that only notes that it was reached."""

    reached: list[str]
    rules: tuple[str, ...] = ()

    def archive(self, approver: str) -> None:
        """Note who approved."""
        self.reached.append(approver)

    def waiting(self) -> tuple[str, ...]:
        """Say what the test says."""
        return self.rules


def add_rule(world: World) -> Path:
    """Write the archive rule into the fleet file: without one, a database has no such pipeline."""
    path = world.folder / "fleet.yaml"
    path.write_text(path.read_text().replace("  kgc:\n", f"  kgc:\n    {RULE}\n", 1))
    return path


def approval() -> Watched:
    """Give an approval of kgc."""
    made = Watched(task_id="approve_first_run", subject="Archive?", params={"typed_name": Param("")})
    made.database, made.reached = "kgc", []
    return made


def complete(made: Watched, who: Mapping[str, str] | None, typed: str, starter: str | None, chosen: str) -> None:
    """Let the approval go on with an answer, the way Airflow hands it over."""
    said: dict[str, object] = {
        "chosen_options": [chosen],
        "params_input": {"typed_name": typed},
        "responded_at": datetime(2026, 11, 21, tzinfo=UTC),
        "responded_by_user": who,
    }
    made.execute_complete({"dag_run": Started(starter)}, said)  # type: ignore[typeddict-item]


@pytest.mark.parametrize("starter", [None, "ben"])
def test_a_person_who_types_the_name_starts_the_first_run(starter: str | None) -> None:
    """The schedule proposed it, or somebody else did."""
    made = approval()
    complete(made, ANA, "kgc", starter, "Approve")
    assert made.reached == ["ana"]


@pytest.mark.parametrize(
    ("who", "typed", "starter", "words"),
    [
        (ANA, "kgc", "ana", "ana started this run and cannot approve it"),
        (None, "kgc", None, "answered by the time-out and not by a person"),
        (ANA, "KGC", None, "the name typed is not 'kgc'"),
    ],
)
def test_anything_less_archives_nothing(
    who: Mapping[str, str] | None, typed: str, starter: str | None, words: str
) -> None:
    """The same person, the time-out, or another name."""
    made = approval()
    with pytest.raises(AirflowFailException, match=words):
        complete(made, who, typed, starter, "Approve")
    assert made.reached == []


def test_a_rejection_archives_nothing_and_is_no_failure() -> None:
    """A person said no, and the next run asks again."""
    made = approval()
    complete(made, ANA, "", None, "Reject")
    assert made.reached == []


def test_nobody_is_asked_about_rules_that_were_approved() -> None:
    """The task is skipped, and the run is green."""
    with pytest.raises(AirflowSkipException):
        approval().execute({})


def test_the_first_run_is_inside_the_approval(world: World) -> None:
    """There is no task behind it that a forged state could let through."""
    add_rule(world)
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    task = bag.dags["kgc.archive"].get_task("approve_first_run")
    assert (task.downstream_task_ids, task.retries, task.execution_timeout) == (set(), 0, None)
    assert world.messages() == []


def test_an_approved_rule_runs_without_anybody(world: World) -> None:
    """Old rows are in the archive, the approval is skipped, and no row is in any log."""
    live = world.source
    live.run(USERS, "INSERT INTO public.users SELECT generate_series(1, 90)", HEALTH_METRICS, filled(500))
    own(live, "public.users", METRICS)
    world.connect("kgc", live.owner)
    rule = load_fleet(add_rule(world)).databases["kgc"].archive.tables[METRICS]
    with live.session(live.owner) as session:
        approve(session, Names.of(METRICS), rule_digest(METRICS, rule), "ana")
    run = world.run("kgc.archive")
    assert run.state == "success", world.log()
    states = {task.task_id: task.state for task in run.get_task_instances()}
    assert states == {"plan": "success", "archive": "success", "approve_first_run": "skipped"}
    with live.session() as session:
        moved = session.row(asked("SELECT count(*)::text AS word FROM public.health_metrics_archive")).word
    assert 0 < int(moved) < 500
