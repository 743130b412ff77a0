"""The restore in Airflow: nothing happens without a second person who types the name, whatever else somebody does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from bed.airflow_world import ROOT, World
from bed.clusters import asked, statement, tools_of
from bed.ledgers import ask
from bed.stored_backups import folder_vault
from pgtend.backup.take import Site, take_backup
from pgtend.fleet.load import load_fleet
from pgtend.kernel.times import utc_now
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.identifiers import database as called
from pgtend.vault.agekeys import new_pair
from pgtend_airflow import desk, restoring
from pgtend_airflow.approval import ApprovedRestore, approved_restore

NOW = datetime(2099, 11, 21, 12, tzinfo=UTC)
ANA = {"id": "ana", "name": "ana"}


@dataclass(frozen=True, slots=True)
class Started:
    """A run as the approval sees it."""

    triggering_user_name: str | None
    clear_number: int = 0


@dataclass(frozen=True, slots=True)
class RunOf:
    """A run as a task sees it."""

    dag_id: str
    run_id: str
    triggering_user_name: str
    run_after: datetime
    run_type: str = "manual"
    clear_number: int = 0
    conf: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """A report of a restore without a difference."""

    is_identical: bool = True


class Watched(ApprovedRestore):
    """The approval, with a restore that only notes that it was reached."""

    reached: list[str]

    def restore(self, approver: str) -> None:
        """Note who approved."""
        self.reached.append(approver)


def approval() -> Watched:
    """Give an approval of kgc."""
    made = Watched(task_id="approve_and_restore", subject="Restore kgc?", params={"typed_name": Param("")})
    made.database, made.reached = "kgc", []
    return made


def answer(who: Mapping[str, str] | None, typed: object = "kgc", *, chosen: str = "Approve") -> dict[str, object]:
    """Give an answer the way Airflow hands it over."""
    return {
        "chosen_options": [chosen],
        "params_input": {"typed_name": typed},
        "responded_at": datetime(2026, 11, 21, tzinfo=UTC),
        "responded_by_user": who,
    }


def complete(made: Watched, said: dict[str, object], starter: str | None = "ben", cleared: int = 0) -> None:
    """Let the approval go on with an answer."""
    made.execute_complete({"dag_run": Started(starter, cleared)}, said)  # type: ignore[typeddict-item]


def test_a_second_person_who_types_the_name_starts_the_restore() -> None:
    """That is the only way."""
    made = approval()
    complete(made, answer(ANA))
    assert made.reached == ["ana"]


@pytest.mark.parametrize(
    ("said", "starter", "words"),
    [
        (answer(ANA), "ana", "ana started this run and cannot approve it"),
        (answer({"id": "7", "name": "Ana"}), "ana", "ana started this run and cannot approve it"),
        (answer({"id": "ANA", "name": "7"}), "ana", "ana started this run and cannot approve it"),
        (answer(None), "ben", "answered by the time-out and not by a person"),
        (answer({"id": "", "name": "ana"}), "ben", "answered by the time-out and not by a person"),
        (answer(ANA), None, "nobody is known to have started this run"),
        (answer(ANA, "kgc "), "ben", "the name typed is not 'kgc'"),
        (answer(ANA, "KGC"), "ben", "the name typed is not 'kgc'"),
        (answer(ANA, ""), "ben", "the name typed is not 'kgc'"),
    ],
)
def test_anything_less_restores_nothing(said: dict[str, object], starter: str | None, words: str) -> None:
    """The same person, nobody, the time-out, or another name: each is refused for good, and says why."""
    made = approval()
    with pytest.raises(AirflowFailException, match=words):
        complete(made, said, starter)
    assert made.reached == []


def test_a_run_that_was_cleared_is_approved_by_nobody() -> None:
    """Whoever cleared what ben had asked for may be the one who approves it, and nobody knows."""
    made = approval()
    with pytest.raises(AirflowFailException, match="somebody cleared this run, which started it again"):
        complete(made, answer(ANA), cleared=1)
    assert made.reached == []


def test_a_rejection_restores_nothing_and_is_no_failure() -> None:
    """A person said no, and that is an answer."""
    made = approval()
    complete(made, answer(ANA, "", chosen="Reject"))
    complete(made, answer(None, "", chosen="Reject"))
    assert made.reached == []


@pytest.mark.parametrize("chosen", ["approve", "Yes", ""])
def test_an_answer_that_is_none_of_the_choices_restores_nothing(chosen: str) -> None:
    """A forged event is refused by the check of the choices."""
    made = approval()
    with pytest.raises(Exception, match="not in"):
        complete(made, answer(ANA, chosen=chosen))
    assert made.reached == []


def test_the_work_is_inside_the_approval_and_nothing_follows_it(world: World) -> None:
    """There is no task that a forged XCom or a skipped approval could let through; and no retry of its own."""
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    dag = bag.dags["kgc.restore"]
    task = dag.get_task("approve_and_restore")
    assert (task.downstream_task_ids, task.retries, task.retry_policy) == (set(), 0, None)
    assert task.execution_timeout is None
    assert dag.task_ids == ["look", "approve_and_restore"]
    assert world.messages() == []


def databases(world: World) -> list[str]:
    """List the databases of the server."""
    with world.source.session() as session:
        found = session.rows(asked("SELECT datname::text AS word FROM pg_database ORDER BY 1"))
    return [one.word for one in found]


def prepare(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take a backup of the world's database by its superuser, and let the pipeline find it and its key."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", f"18:{tools_of(18).folder}")
    key = world.folder / "key.txt"
    pair = new_pair()
    key.touch(mode=0o600)
    key.write_text(pair.key_file(), encoding="utf-8")
    monkeypatch.setenv("PGTEND_KEY_FILE", str(key))
    path = world.folder / "fleet.yaml"
    path.write_text(path.read_text() + f"keys:\n  recipients:\n    operations: {pair.public}\n")
    world.connect("kgc", world.source.superuser)
    return take_another(world)


def take_another(world: World) -> str:
    """Take one more backup, as the night would."""
    fleet = load_fleet(world.folder / "fleet.yaml")
    vault = folder_vault(world.folder / "vault")
    site = Site(fleet=fleet, database=fleet.databases["kgc"], address=world.source.superuser, vault=vault)
    return take_backup(site, FolderLedger(world.folder / "own"), Subject("kgc", "backup", "test"), str).backup_id


def test_marking_the_approval_as_successful_restores_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may edit states can make the run green, and the server has not one database more."""
    prepare(world, monkeypatch)
    before = databases(world)
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    dag = bag.dags["kgc.restore"]
    dag.deadline = None
    run = dag.test(run_conf={"target": "forged"}, mark_success_pattern="approve_and_restore")
    assert run.state == "success"
    assert databases(world) == before


def test_what_was_approved_is_restored_and_written_down(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is there, identical, and the audit names both people and the backup."""
    backup_id = prepare(world, monkeypatch)
    name = f"{world.source.name}_back"
    form = {"backup": "latest", "target": name, "in_place": False}
    context = {"params": form, "dag_run": RunOf("kgc.restore", "manual__1", "ben", NOW)}
    monkeypatch.setattr(desk, "get_current_context", lambda: context)
    monkeypatch.setattr(restoring, "get_current_context", lambda: context)
    approved_restore("kgc").execute_complete(context, answer(ANA))  # type: ignore[arg-type]
    try:
        assert name in databases(world)
        with world.reporting.session() as ledger:
            told = ask(ledger, "SELECT detail::text FROM reporting.audit WHERE action = 'restore.approved'")
        assert backup_id in str(told)
        assert "airflow:ben" in str(told)
    finally:
        with world.source.server.session() as session:
            session.run(statement("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), name=called(name))


def test_what_is_restored_is_what_was_the_latest_when_it_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approval comes hours later, and the night has stored the damaged database meanwhile: it is not taken."""
    backup_id = prepare(world, monkeypatch)
    form: dict[str, object] = {"backup": "latest", "target": f"{world.source.name}_back", "in_place": False}
    context = {"params": form, "dag_run": RunOf("kgc.restore", "manual__1", "ben", utc_now())}
    monkeypatch.setattr(desk, "get_current_context", lambda: context)
    monkeypatch.setattr(restoring, "get_current_context", lambda: context)
    later = take_another(world)
    chosen: list[str] = []
    monkeypatch.setattr(restoring, "_beside", lambda _desk, backup: chosen.append(backup.entry.backup_id) or Same())
    for wanted in ("latest", "2099-01-01", later):
        form["backup"] = wanted
        approved_restore("kgc").execute_complete(context, answer(ANA))  # type: ignore[arg-type]
    assert chosen == [backup_id, backup_id, later]


def test_without_a_key_on_the_worker_nothing_is_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers hold no private keys; the error says where to put one."""
    prepare(world, monkeypatch)
    monkeypatch.delenv("PGTEND_KEY_FILE")
    before = databases(world)
    context = {
        "params": {"backup": "latest", "target": "x", "in_place": False},
        "dag_run": RunOf("kgc.restore", "manual__1", "ben", NOW),
    }
    monkeypatch.setattr(desk, "get_current_context", lambda: context)
    monkeypatch.setattr(restoring, "get_current_context", lambda: context)
    with pytest.raises(restoring.NoKeyHere, match="no private key"):
        approved_restore("kgc").execute_complete(context, answer(ANA))  # type: ignore[arg-type]
    assert databases(world) == before
