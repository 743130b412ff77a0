"""A restore that waits for its approval in a running Airflow, and everybody who tries to get around it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bed.airflow_site import ADMIN, PROJECT, AirflowSite, Json, JsonValue, connection, metadata_address
from bed.clusters import Clusters, LiveDatabase, asked, new_database, statement, tools_of
from bed.stored_backups import folder_vault
from pgtend.backup.take import Site, take_backup
from pgtend.fleet.load import load_fleet
from pgtend.kernel.progress import quietly
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.identifiers import database as called
from pgtend.vault.agekeys import new_pair

pytestmark = pytest.mark.long
MAJOR = 18
# What is kept of Airflow's own database to be copied is made by the client of this version.
METADATA = 15
DAG, TASK = "kgc.restore", "approve_and_restore"
PASSWORD = ADMIN[1]
ROLES = {"vera": "viewer", "ulf": "user", "oda": "op", "ada": "admin"}
FLEET = """
fleet: clinic
vaults: {{main: {{folder: {{path: {folder}/vault}}}}}}
keys: {{recipients: {{operations: {public}}}}}
databases:
  kgc: {{}}
"""
APPROVED: Json = {
    "chosen_options": ["Approve"],
    "params_input": {"typed_name": "kgc"},
    "responded_by_user": {"id": "oda", "name": "oda"},
}


@dataclass(frozen=True, slots=True)
class House:
    """A running Airflow with one backup that could be restored, and its people."""

    site: AirflowSite
    source: LiveDatabase

    def person(self, name: str) -> httpx.Client:
        """Log somebody in."""
        answer = self.site.api.post("/auth/token", json={"username": name, "password": PASSWORD})
        answer.raise_for_status()
        token = answer.json()["access_token"]
        return httpx.Client(
            base_url=f"{self.site.address}/api/v2/dags/{DAG}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    @contextmanager
    def waiting_run(self, starter: str, target: str) -> Generator[str]:
        """Let somebody start a restore, and wait until it waits for its answer."""
        with self.person(starter) as person:
            answer = person.post("/dagRuns", json={"logical_date": None, "conf": {"target": target}})
        assert answer.is_success, answer.text
        run_id = str(answer.json()["dag_run_id"])
        self.site.wait("the question", lambda: self.is_asked(run_id), patience=120)
        # No person answers within a second, and Airflow 3.3 fails a task whose answer is there before its scheduler has
        # heard that the task waits: it takes the end of the process that asked for the end of the task.
        self.site.wait("the scheduler", lambda: self.is_known_to_wait(run_id), patience=60)
        yield run_id

    def wait_again(self, run_id: str) -> None:
        """Wait until a run that was answered and then cleared waits for its answer once more."""
        self.site.wait("the question", lambda: self.is_asked(run_id), patience=120)
        # By then it heard of the process that asked, of the one that took the answer, and of the one that asks again.
        self.site.wait("the scheduler", lambda: self.is_known_to_wait(run_id, times=3), patience=60)

    def is_asked(self, run_id: str) -> bool:
        """Tell whether a person can answer now."""
        path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/{TASK}"
        if not self.site.api.get(f"{path}/-1/hitlDetails").is_success:
            return False
        return self.site.api.get(path).json()["state"] not in {None, "queued", "running", "scheduled"}

    def is_known_to_wait(self, run_id: str, times: int = 1) -> bool:
        """Tell whether the scheduler has heard that the process that asked has ended."""
        log = (self.site.home / "scheduler.log").read_text()
        heard = (line for line in log.splitlines() if "Received executor event with state success" in line)
        return sum(repr(TASK) in line and repr(run_id) in line for line in heard) >= times

    def log_says(self, run_id: str, words: str, attempt: int = 1) -> None:
        """Wait until the log of the approval holds some words; its last lines come when the run has ended already."""
        self.site.wait(words, lambda: words in self.site.task_log(DAG, run_id, TASK, attempt), patience=60)

    def databases(self) -> list[str]:
        """List the databases of the server, without those of Airflow and of other tests."""
        found = asked("SELECT datname::text AS word FROM pg_database WHERE datname LIKE 'forged%%' ORDER BY 1")
        with self.source.session() as session:
            return [one.word for one in session.rows(found)]


@pytest.fixture(scope="module")
def house(clusters: Clusters) -> Generator[House]:
    """Start Airflow with the one pipeline, a backup in its vault, and the key where a restore looks for it."""
    with ExitStack() as stack:
        environ = stack.enter_context(pytest.MonkeyPatch.context())
        environ.setenv("PGTEND_PG_BINDIRS", f"{MAJOR}:{tools_of(MAJOR).folder}")
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgtend-site-")))
        source, metadata = (stack.enter_context(new_database(clusters.server(one))) for one in (MAJOR, METADATA))
        source.run("CREATE TABLE public.visits AS SELECT generate_series(1, 100) AS id")
        pair = new_pair()
        (home / "fleet.yaml").write_text(FLEET.format(folder=home, public=pair.public))
        (home / "key.txt").touch(mode=0o600)
        (home / "key.txt").write_text(pair.key_file())
        (home / "vault").mkdir()
        back_up(source, home)
        (home / "dags").mkdir()
        shutil.copy(PROJECT / "dags" / "restore.py", home / "dags")
        users = ",".join(f"{name}:{role}" for name, role in ROLES.items())
        settings = {
            "PGTEND_FLEET": str(home / "fleet.yaml"),
            "PGTEND_KEY_FILE": str(home / "key.txt"),
            "HOME": str(home),
            "AIRFLOW_CONN_KGC": connection(source.superuser),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN[0]}:admin,{users}",
        }
        site = stack.enter_context(AirflowSite(home, metadata_address(metadata), settings))
        (home / "passwords.json").write_text(json.dumps(dict([ADMIN, *((name, PASSWORD) for name in ROLES)])))
        site.wait("the pipeline", lambda: site.knows(DAG), patience=120)
        site.patch(f"dags/{DAG}", is_paused=False)
        yield House(site, source)


def back_up(source: LiveDatabase, home: Path) -> None:
    """Take the backup that everybody is after."""
    fleet = load_fleet(home / "fleet.yaml")
    place = Site(
        fleet=fleet, database=fleet.databases["kgc"], address=source.superuser, vault=folder_vault(home / "vault")
    )
    take_backup(place, FolderLedger(home / "own"), Subject("kgc", "backup", "test"), quietly, ignore_window=True)


def forgeries(run_id: str) -> Iterator[tuple[str, str, JsonValue]]:
    """List what somebody could send: XComs that look like an approval, and states that look like its end."""
    tasks = f"/dagRuns/{run_id}/taskInstances"
    for task in ("look", TASK):
        for key in ("return_value", "chosen_options", "forged"):
            yield "POST", f"{tasks}/{task}/xcomEntries", {"key": key, "value": APPROVED}
    yield "PATCH", f"{tasks}/{TASK}", {"new_state": "success"}
    yield "PATCH", f"/dagRuns/{run_id}", {"state": "success"}


@pytest.mark.parametrize("name", ["ulf", "oda", "ada"])
def test_no_role_restores_anything_by_forging(house: House, name: str) -> None:
    """A viewer is refused each time; everybody else makes the run green, and the server has not one database more."""
    starter = "oda" if name == "ada" else "ada"
    with house.waiting_run(starter, f"forged_by_{name}") as run_id, house.person("vera") as viewer:
        answers = [viewer.request(method, path, json=body) for method, path, body in forgeries(run_id)]
        assert {answer.status_code for answer in answers} == {403}, [it.text for it in answers]
        with house.person(name) as one:
            answers = [one.request(method, path, json=body) for method, path, body in forgeries(run_id)]
        assert [it.text for it in answers if not it.is_success] == []
        assert house.site.finish(DAG, run_id) == "success"
    assert house.databases() == []


def test_who_started_it_cannot_approve_it_and_a_second_person_can(house: House) -> None:
    """The proof that the tries above could have succeeded: the same run, answered by the right person, restores."""
    answer = {"chosen_options": ["Approve"], "params_input": {"typed_name": "kgc"}}
    with house.waiting_run("ulf", "forged_alone") as run_id, house.person("ulf") as starter:
        said = starter.patch(f"/dagRuns/{run_id}/taskInstances/{TASK}/-1/hitlDetails", json=answer)
        assert said.is_success, said.text
        assert house.site.finish(DAG, run_id) == "failed"
        house.log_says(run_id, "ulf started this run and cannot approve it")
    assert house.databases() == []
    with house.waiting_run("ulf", "forged_not") as run_id, house.person("oda") as second:
        said = second.patch(f"/dagRuns/{run_id}/taskInstances/{TASK}/-1/hitlDetails", json=answer)
        assert said.is_success, said.text
        house.log_says(run_id, "1 table, 100 rows, identical")
        assert house.site.finish(DAG, run_id) == "success"
    assert house.databases() == ["forged_not"]
    with house.source.session() as session:
        session.run(statement("DROP DATABASE {name}"), name=called("forged_not"))


def test_nobody_takes_up_alone_what_was_rejected(house: House) -> None:
    """Whoever said no to another one's wish could clear it later, and approve it without anybody else."""
    answer = {"params_input": {"typed_name": "kgc"}}
    with house.waiting_run("ulf", "forged_later") as run_id, house.person("oda") as second:
        path = f"/dagRuns/{run_id}/taskInstances/{TASK}/-1/hitlDetails"
        said = second.patch(path, json={**answer, "chosen_options": ["Reject"]})
        assert said.is_success, said.text
        assert house.site.finish(DAG, run_id) == "success"
        cleared = second.post(f"/dagRuns/{run_id}/clear", json={"dry_run": False, "only_failed": False})
        assert cleared.is_success, cleared.text
        house.wait_again(run_id)
        said = second.patch(path, json={**answer, "chosen_options": ["Approve"]})
        assert said.is_success, said.text
        assert house.site.finish(DAG, run_id) == "failed"
        house.log_says(run_id, "somebody cleared this run, which started it again", attempt=2)
    assert house.databases() == []
