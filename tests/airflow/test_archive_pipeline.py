"""The pipeline `archive` inside Airflow: the first run of a rule waits for a person, later ones for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from bed.airflow_world import ROOT, World
from bed.archiving import HEALTH_METRICS, METRICS, USERS, filled, own
from bed.clusters import LiveDatabase, asked
from bed.ledgers import ask
from pgtend_airflow import desk
from pgtend_airflow.first_runs import ApprovedFirstRun, approved_first_run

ANA = {"id": "ana", "name": "ana"}
RULE = f"archive: {{tables: {{{METRICS}: {{by: date}}}}}}"


@dataclass(frozen=True, slots=True)
class Started:
    """A run as the approval sees it."""

    triggering_user_name: str | None


@dataclass(frozen=True, slots=True)
class RunOf:
    """A run as a task sees it."""

    dag_id: str
    run_id: str
    triggering_user_name: str
    run_after: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    run_type: str = "manual"
    conf: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A task instance that knows what was shown to the person who is asked."""

    shown: Mapping[str, str] | None

    def xcom_pull(self, *, task_ids: str, key: str) -> Mapping[str, str] | None:
        """Give what was pushed before the answer."""
        assert (task_ids, key) == ("approve_first_run", "rules_shown")
        return self.shown


class Watched(ApprovedFirstRun):
    """The approval, with an archive that only notes that it was reached."""

    reached: list[str]
    rules: Mapping[str, str] = MappingProxyType({})

    def archive(self, approver: str, shown: Mapping[str, str]) -> None:
        """Note who approved."""
        assert shown == {METRICS: "a rule"}
        self.reached.append(approver)

    def waiting(self) -> Mapping[str, str]:
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
    context = {"dag_run": Started(starter), "ti": Remembered({METRICS: "a rule"})}
    made.execute_complete(context, answer(who, typed, chosen))  # type: ignore[typeddict-item]


def answer(who: Mapping[str, str] | None, typed: str, chosen: str) -> dict[str, object]:
    """Give an answer the way Airflow hands it over."""
    return {
        "chosen_options": [chosen],
        "params_input": {"typed_name": typed},
        "responded_at": datetime(2026, 11, 21, tzinfo=UTC),
        "responded_by_user": who,
    }


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


def test_what_a_person_is_asked_about_is_kept_until_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules as they are when it is asked, before it begins to wait."""
    kept: dict[str, object] = {}
    asking = approval()
    asking.rules = {METRICS: "a rule"}

    class Keeping:
        def xcom_push(self, *, key: str, value: object) -> None:
            kept[key] = value

    monkeypatch.setattr(ApprovalOperator, "execute", lambda *_: None)
    asking.execute({"ti": Keeping()})  # type: ignore[typeddict-item]
    assert kept == {"rules_shown": {METRICS: "a rule"}}


def test_the_first_run_is_inside_the_approval(world: World) -> None:
    """There is no task behind it that a forged state could let through."""
    add_rule(world)
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    task = bag.dags["kgc.archive"].get_task("approve_first_run")
    assert (task.downstream_task_ids, task.retries, task.execution_timeout) == (set(), 0, None)
    assert world.messages() == []


def archived(live: LiveDatabase) -> int:
    """Count what left the table."""
    with live.session() as session:
        return int(session.row(asked("SELECT count(*)::text AS word FROM public.health_metrics_archive")).word)


def test_what_was_approved_is_archived_and_later_runs_ask_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The approval moves rows and says who said yes; the next run moves a late one, skips it, and logs no row."""
    live = world.source
    live.run(USERS, "INSERT INTO public.users SELECT generate_series(1, 90)", HEALTH_METRICS, filled(500))
    own(live, "public.users", METRICS)
    world.connect("kgc", live.owner)
    add_rule(world)
    form = {"dry_run": False, "outside_window": False}
    context = {"params": form, "dag_run": RunOf("kgc.archive", "manual__1", "ben")}
    with monkeypatch.context() as inside:
        inside.setattr(desk, "get_current_context", lambda: context)
        for before in ({METRICS: "0123456789abcdef"}, {}, None):
            with pytest.raises(AirflowFailException, match="got another rule since it was asked"):
                approved_first_run("kgc").execute_complete(
                    {**context, "ti": Remembered(before)},  # type: ignore[typeddict-item]
                    answer(ANA, "kgc", "Approve"),
                )
        context["ti"] = Remembered(approved_first_run("kgc").waiting())
        approved_first_run("kgc").execute_complete(context, answer(ANA, "kgc", "Approve"))  # type: ignore[arg-type]
    moved = archived(live)
    assert 0 < moved < 500
    with world.reporting.session() as ledger:
        told = ask(ledger, "SELECT actor || detail::text FROM reporting.audit WHERE action = 'archive.approved'")
    assert told == ['airflow:ana{"tables": "public.health_metrics"}']
    live.run(
        "INSERT INTO public.health_metrics (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )
    run = world.run("kgc.archive")
    assert run.state == "success", world.log()
    states = {task.task_id: task.state for task in run.get_task_instances()}
    assert states == {"plan": "success", "archive": "success", "approve_first_run": "skipped"}
    assert archived(live) == moved + 1
