"""The pipeline `fleet.audit`: the chain is computed anew, compared with its anchors, and anchored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bed.airflow_world import World
from bed.ledgers import tell
from bed.receipts import outcome_of
from bed.s3_servers import WRITE_ONLY, S3Site, ministack_server
from bed.stored_backups import folder_vault
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.issue import issue_receipt
from pgtend.drill.receipts.keys import new_signing_key
from pgtend.drill.receipts.signer import Signer
from pgtend.kernel.progress import quietly
from pgtend.ledger.alerts import AlertBook, OpenAlert
from pgtend.ledger.database import DatabaseLedger

__all__ = ["ministack_server"]


def anchors(world: World) -> list[Path]:
    """List the anchors in the folder vault."""
    return sorted((world.folder / "vault").rglob("audit/anchors/clinic/*.json"))


def open_alerts(world: World) -> list[OpenAlert]:
    """List what people are told to be broken."""
    with world.reporting.session() as ledger:
        return AlertBook(ledger).open_alerts()


def on_s3(world: World, site: S3Site) -> None:
    """Let the fleet keep its copies on an S3 server, whose address stands in the connection."""
    extra = {"endpoint_url": site.endpoint, "region_name": "us-east-1"}
    world.set("store", {"conn_type": "aws", "login": site.key.key_id, "password": site.key.secret, "extra": extra})
    world.write_fleet(
        f"s3: {{connection: store, bucket: {site.bucket}, prefix: {world.source.name}, path_style: true}}"
    )


def test_each_day_anchors_the_head_once(world: World) -> None:
    """A second run without anything new leaves the anchor as it is; after more work there is a second one."""
    assert world.run("fleet.audit").state == "success"
    assert world.run("fleet.audit").state == "success"
    assert len(anchors(world)) == 1
    assert world.run("kgc.analyze").state == "success"
    assert world.run("fleet.audit").state == "success"
    assert len(anchors(world)) == 2
    assert world.messages() == []


def test_a_rewritten_audit_wakes_somebody(world: World) -> None:
    """Whoever removes the end of the chain is betrayed by the anchor: broken evidence, at once, one message."""
    assert world.run("kgc.analyze").state == "success"
    assert world.run("fleet.audit").state == "success"
    with world.reporting.session() as ledger:
        tell(
            ledger,
            "ALTER TABLE reporting.audit_entry DISABLE TRIGGER ALL",
            "DELETE FROM reporting.audit_entry WHERE seq = (SELECT max(seq) FROM reporting.audit_entry)",
        )
    run = world.run("fleet.audit")
    assert run.state == "failed"
    assert {task.task_id: task.try_number for task in run.get_task_instances()}["verify_and_anchor"] == 1
    (mail,) = world.mail.texts()
    assert "[ledger.chain_broken]" in mail
    assert "broken evidence" in mail
    assert "docs/runbooks/audit-chain-broken.md" in mail
    assert len(world.messages()) == 1

    # A run of something else proves that the ledger answers, and nothing about what was written in it.
    assert world.run("kgc.analyze").state == "success"
    assert len(world.messages()) == 1
    (key,) = [alert.key for alert in open_alerts(world)]
    assert key == "pgtend/production/fleet/audit"


def test_a_removed_receipt_wakes_somebody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the newest, which nothing in the vault remembers: the audit does."""
    key = new_signing_key()
    key.write(world.folder / "receipts.key")
    monkeypatch.setenv("PGTEND_SIGNING_KEY_FILE", str(world.folder / "receipts.key"))
    book = ReceiptBook(vault=folder_vault(world.folder / "vault"), fleet="clinic", trusted=(key.public,))
    with world.reporting.session() as session:
        issue_receipt(outcome_of(), book, Signer(key=key, keep=timedelta(days=2192)), DatabaseLedger(session), quietly)
    assert world.run("fleet.audit").state == "success"
    for path in (world.folder / "vault" / "receipts").rglob("*.json"):
        path.unlink()
    assert world.run("fleet.audit").state == "failed"
    (mail,) = world.mail.texts()
    assert "[drill.receipt_chain_broken]" in mail
    assert "docs/runbooks/receipt-chain-broken.md" in mail


def test_the_head_is_anchored_on_s3(world: World, ministack_server: S3Site) -> None:
    """Keys, signature and address come from the Airflow connection."""
    on_s3(world, ministack_server)
    assert world.run("fleet.audit").state == "success", world.log()
    with ministack_server.raw() as client:
        folder = f"{world.source.name}/audit/anchors/clinic/"
        found = client.list_objects_v2(Bucket=ministack_server.bucket, Prefix=folder)
    assert len(found["Contents"]) == 1


def test_a_vault_that_refuses_us_is_told_once(world: World, ministack_server: S3Site) -> None:
    """A user who may not list gets a refusal of S3: misconfigured, not retried, one message; the databases go on."""
    on_s3(world, ministack_server.as_user(WRITE_ONLY))
    run = world.run("fleet.audit")
    assert run.state == "failed"
    assert {task.task_id: task.try_number for task in run.get_task_instances()}["verify_and_anchor"] == 1
    assert "[vault.refused]" in world.mail.texts()[0]
    assert ministack_server.key.secret not in world.log()
    assert world.run("kgc.analyze").state == "success"
    on_s3(world, ministack_server)
    assert world.run("fleet.audit").state == "success"
    assert [title.split(":")[0] for title in world.messages()] == [
        "[clinic production] fleet.audit failed",
        "[clinic production] fleet.audit recovered",
    ]


def test_months_that_nobody_asks_to_keep_are_forgotten(world: World) -> None:
    """A run of years ago goes with its month; the one of today and the audit stay."""
    assert world.run("kgc.analyze").state == "success"
    with world.reporting.session() as ledger:
        tell(
            ledger,
            "INSERT INTO reporting.run (run_id, database, pipeline, actor, started_at, ended_at, outcome) VALUES"
            " ('old', 'kgc', 'analyze', 'somebody', '2019-03-05', '2019-03-05', 'succeeded')",
            "SELECT reporting.ensure_partitions(1)",
        )
    assert world.run("fleet.audit").state == "success", world.log()
    assert "forgotten: run_2019_03" in world.log()
    with world.reporting.session() as ledger:
        tell(ledger, "DO $$ BEGIN ASSERT (SELECT count(*) FROM reporting.run) = 1; END $$")
    assert world.run("fleet.audit").state == "success"
