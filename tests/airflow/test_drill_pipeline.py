"""The pipeline `restore_drill` inside Airflow: what a run proves, leaves behind, links to, and tells people."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.app import init_auth_manager
from airflow.models.serialized_dag import SerializedDagModel

from bed.airflow_world import CANARY_ROW, World
from bed.backups import tools_on_path
from bed.clusters import LiveDatabase
from bed.face import Face
from bed.ledgers import ask
from bed.stored_backups import folder_vault
from pgtend.backup.catalogue import CatalogueEntry, read_catalogue
from pgtend.backup.record import Role
from pgtend.backup.states import BackupState
from pgtend.drill.receipts.keys import SigningKey, new_signing_key
from pgtend.drill.stages import Stage
from pgtend.kernel.times import utc_now
from pgtend.vault.agekeys import KeyPair, new_pair
from pgtend_airflow.web.app import VERSION, build_app
from pgtend_airflow.web.books import BOOKS

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

CANARY_ANSWER = "canary-of-an-answer-5d02"
CANARY_DETAIL = "canary-of-a-duplicate-83ce"
RULES = """\
  kgc:
    drill:
      key_connection: escrow
      smoke:
        - {name: visits, sql: SELECT count(*) FROM public.visits, at_least: 1000}
        - {name: a secret, sql: SELECT note FROM public.visits WHERE id = 0, expect: canary-of-an-answer-5d02}
"""
# A unique index that lets two rows in, as a broken library or a broken disk does. PostgreSQL quotes such rows.
CORRUPT = (
    "CREATE UNIQUE INDEX visits_note ON public.visits (note) WHERE id < 0",
    "UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid = 'public.visits_note'::regclass",
    "INSERT INTO public.visits VALUES (-1, 'canary-of-a-duplicate-83ce'), (-2, 'canary-of-a-duplicate-83ce')",
    "UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid = 'public.visits_note'::regclass",
)


@dataclass(slots=True)
class Drilled:
    """A database inside Airflow whose backups are drilled, and everything that must appear nowhere."""

    world: World
    keys: KeyPair = field(default_factory=new_pair)
    signing: SigningKey = field(default_factory=new_signing_key)

    def prepare(self) -> None:
        """Give the worker its keys and the fleet file its rules."""
        world, path = self.world, self.world.folder / "signing.pem"
        self.signing.write(path)
        world.environ.setenv("PGTEND_SIGNING_KEY_FILE", str(path))
        world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
        world.set("escrow", {"conn_type": "generic", "password": self.keys.private.get_secret_value()})
        fleet = world.folder / "fleet.yaml"
        fleet.write_text(fleet.read_text().replace("  kgc:\n", RULES, 1))
        world.add_to_fleet(f"keys: {{recipients: {{operations: {self.keys.public}}}}}")
        world.source.run(
            "INSERT INTO public.visits VALUES (0, 'canary-of-an-answer-5d02')",
            f'GRANT SELECT ON public.visits TO "{world.source.owner.user}"',
        )

    def back_up(self) -> CatalogueEntry:
        """Take a backup by its pipeline."""
        run = self.world.run("kgc.backup")
        assert run.state == "success", self.world.log()
        return self.newest()

    def newest(self) -> CatalogueEntry:
        """Read the newest backup's entry from the vault."""
        return read_catalogue(folder_vault(self.world.folder / "vault"), "clinic", "kgc", utc_now()).entries[0]

    def damage(self, entry: CatalogueEntry) -> None:
        """Flip a byte of the rows where they are stored."""
        (part, *_) = entry.manifest.parts_of(Role.REST, Role.TABLE)
        path = self.world.folder / "vault" / entry.manifest.key_of(part)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.unlink()
        path.write_bytes(bytes(content))

    def in_ledger(self, text: str) -> list[object]:
        """Ask the ledger."""
        with self.world.reporting.session() as session:
            return ask(session, text)

    def secrets(self) -> list[str]:
        """List what no log, no alert, no receipt and no table of Airflow may hold."""
        pem = (self.world.folder / "signing.pem").read_text().splitlines()[1]
        passwords = [json.loads(self.world.environment(name))["password"] for name in ("kgc", "ledger", "escrow")]
        return [CANARY_ROW, CANARY_ANSWER, CANARY_DETAIL, pem, *passwords]

    def everything(self) -> Iterator[tuple[str, str]]:
        """Give all that a run left anywhere, by place."""
        path = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as metadata:
            yield "Airflow's database", "\n".join(metadata.iterdump())
        yield "task logs", self.world.log()
        yield "mails", "\n".join(self.world.mail.texts())
        yield "chat", "\n".join(self.world.chat.texts())
        yield "the ledger", _dumped(self.world.reporting)
        for receipt in (self.world.folder / "vault" / "receipts").rglob("*.json"):
            envelope = json.loads(receipt.read_text())
            yield receipt.name, base64.b64decode(envelope["payload"]).decode()
        for page in (self.world.folder / "vault" / "receipts").rglob("*.html"):
            yield page.name, page.read_text()


def _dumped(live: LiveDatabase) -> str:
    dump = (live.server.tools.path("pg_dump"), "--data-only", "-d", live.superuser.conninfo)
    return subprocess.run(dump, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def drilled(world: World) -> Drilled:
    """Give a database with a backup of it."""
    made = Drilled(world)
    made.prepare()
    return made


@contextmanager
def face_of(world: World) -> Generator[Face]:
    """Put the API of the pages over the same fleet."""
    world.environ.setenv("AIRFLOW__API__SECRET_KEY", "a-secret-of-this-test")
    init_auth_manager()
    try:
        yield Face(build_app(), world.reporting, world.folder, world.environ)
    finally:
        BOOKS.close()


def button(run: DagRun) -> str:
    """Follow the button of the task, as the page of the task instance offers it."""
    dag = SerializedDagModel.get_dag("kgc.restore_drill")
    assert dag is not None
    (instance,) = run.get_task_instances()
    link = dag.get_task("drill").get_extra_links(instance, "Receipt")
    assert link is not None
    return link


def no_secret_is_anywhere(drilled: Drilled) -> None:
    """Search every place for every canary."""
    found = [(place, secret) for place, text in drilled.everything() for secret in drilled.secrets() if secret in text]
    assert found == []


def test_a_drill_proves_a_backup_and_links_to_its_receipt(drilled: Drilled) -> None:
    """Outcome, RTO and every stage with its time are in the ledger, the backup is PROVEN, one click shows it all."""
    backup = drilled.back_up()
    run = drilled.world.run("kgc.restore_drill", {"thorough": True, "notify": "mail"})
    assert run.state == "success", drilled.world.log()
    assert drilled.newest().state is BackupState.PROVEN
    assert drilled.in_ledger("SELECT state FROM reporting.backups") == ["PROVEN"]
    assert drilled.in_ledger("SELECT backup_id FROM reporting.drills WHERE verdict = 'PASS'") == [
        backup.manifest.backup_id
    ]
    (recovery,) = drilled.in_ledger("SELECT rto_measured FROM reporting.drills")
    assert isinstance(recovery, timedelta)
    assert recovery > timedelta()
    stages = drilled.in_ledger("SELECT stage FROM reporting.drill_stages WHERE took > '0' ORDER BY started_at")
    assert stages == [stage.value for stage in Stage]
    log = drilled.world.log()
    assert [f"::group::{stage.value}" for stage in Stage if f"::group::{stage.value}\n" not in log] == []
    (run_id,) = drilled.in_ledger("SELECT run_id FROM reporting.drills")
    assert button(run) == f"http://airflow.test/pgtend{VERSION}/databases/kgc/receipts/{run_id}/page"
    with face_of(drilled.world) as face:
        page = face.get(f"/databases/kgc/receipts/{run_id}/page")
    assert (page.status_code, str(run_id) in page.text, backup.manifest.backup_id in page.text) == (200, True, True)
    (told,) = drilled.world.mail.texts()
    assert "kgc.restore_drill: PASS" in told
    assert drilled.world.chat.texts() == []
    assert not any(secret in page.text for secret in drilled.secrets())
    no_secret_is_anywhere(drilled)


def test_a_failed_drill_pages_once_with_its_class_and_what_is_still_safe(drilled: Drilled) -> None:
    """Corrupt production first, a damaged backup after it: one page, the right state, and a receipt of each failure."""
    safe = drilled.back_up()
    assert drilled.world.run("kgc.restore_drill").state == "success", drilled.world.log()
    drilled.world.source.run(*CORRUPT)
    bad = drilled.back_up()
    corrupt = drilled.world.run("kgc.restore_drill", {"rule": "newest"})
    assert drilled.newest().state is BackupState.VERIFIED
    drilled.damage(bad)
    damaged = drilled.world.run("kgc.restore_drill", {"rule": "newest"})
    assert [run.state for run in (corrupt, damaged)] == ["failed", "failed"]
    assert [task.try_number for run in (corrupt, damaged) for task in run.get_task_instances()] == [1, 1]
    assert drilled.newest().state is BackupState.BROKEN
    assert drilled.in_ledger("SELECT state FROM reporting.backups ORDER BY taken_at") == ["PROVEN", "BROKEN"]
    failed = drilled.in_ledger("SELECT run_id FROM reporting.drills WHERE verdict = 'FAIL' ORDER BY started_at")
    assert [button(run).rsplit("/", 2)[1] for run in (corrupt, damaged)] == failed
    (title,) = drilled.world.messages()
    assert title.startswith("[clinic production] kgc.restore_drill failed: drill of kgc ")
    (mail,) = drilled.world.mail.texts()
    assert "failed, SOURCE_INTEGRITY: production holds rows that break its own rules [drill.source_integrity]" in mail
    assert f"Still safe: backup {safe.manifest.backup_id} of " in mail
    assert "docs/runbooks/drill-source-integrity.md" in mail
    assert drilled.in_ledger("SELECT severity FROM reporting.open_alerts") == ["page"]
    no_secret_is_anywhere(drilled)
