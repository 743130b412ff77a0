"""Receipts of tests: a drill's outcome written by hand, a vault in a folder, a ledger in another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pgtend.drill.receipts.verify_receipt as script
from bed.stored_backups import folder_vault
from pgtend.drill.model import (
    Canary,
    Check,
    CheckName,
    CheckOutcome,
    DrilledBackup,
    DrillOutcome,
    Isolation,
    IsolationLevel,
    Rule,
    Selection,
    Target,
    Wipe,
)
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.issue import IssuedReceipt, issue_receipt
from pgtend.drill.receipts.keys import SigningKey, new_signing_key
from pgtend.drill.receipts.signer import Signer
from pgtend.drill.stages import Stage, StageTime
from pgtend.kernel.progress import quietly
from pgtend.ledger.folder import FolderLedger

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SCRIPT = Path(script.__file__)


def outcome_of(number: int = 1, **different: object) -> DrillOutcome:
    """Describe a drill of kgc that passed, on the given day."""
    at = AT + timedelta(days=7 * number)
    made = DrillOutcome(
        run_id=f"{at:%Y%m%dT%H%M%SZ}-0000{number:04d}",
        fleet="clinic",
        database="kgc",
        operator="airflow:scheduled",
        run_url="https://airflow.example.org/dags/kgc.restore_drill/runs/1",
        started_at=at,
        ended_at=at + timedelta(minutes=4),
        selection=Selection(rule=Rule.NEWEST, candidates=12, vault="main", key_name="operations"),
        backup=DrilledBackup(
            backup_id="20261121T020000Z-0000abcd",
            manifest_sha256="ab" * 32,
            place="s3://copies/pgtend",
            taken_at=at - timedelta(hours=1),
            lsn="0/1A2B3C4D",
            system_identifier="7300000000000000001",
            source_version="15.20",
            source_size=1_073_741_824,
            plain_size=700_000_000,
            stored_size=120_000_000,
            parts=6,
            tables=23,
            rows=1_500_000,
        ),
        drill_version="15.20",
        tools={"pgtend": "0.1.0", "pg_restore": "15.20"},
        host="worker-1",
        isolation=Isolation(
            level=IsolationLevel.NAMESPACES,
            means="bubblewrap 0.8.0",
            canaries=(Canary(what="a TCP port outside", was_reached=False, answer="08001"),),
        ),
        stages=(
            StageTime(stage=Stage.FETCH, started_at=at, took=timedelta(seconds=12.5), size=120_000_000),
            StageTime(stage=Stage.DATA, started_at=at, took=timedelta(seconds=83.25), size=700_000_000, rows=1_500_000),
        ),
        checks=tuple(
            Check(name=name, outcome=CheckOutcome.PASSED, expected="23", found="23")
            for name in CheckName
            if name not in {CheckName.SECOND_GENERATION, CheckName.NEGATIVE_CONTROL}
        ),
        not_checked=("second generation: it is due once a quarter.",),
        rto=Target(target=timedelta(hours=4), measured=timedelta(minutes=3), predicted=timedelta(minutes=3)),
        rpo=Target(target=timedelta(hours=26), measured=timedelta(hours=1)),
        wipe=Wipe(method="removed", is_gone=True),
    )
    return replace(made, **different)  # type: ignore[arg-type]


@dataclass
class Office:
    """Where receipts are issued in a test."""

    root: Path
    key: SigningKey
    book: ReceiptBook
    ledger: FolderLedger

    @classmethod
    def at(cls, root: Path) -> Office:
        """Open one in an empty folder."""
        key = new_signing_key()
        book = ReceiptBook(vault=folder_vault(root / "vault"), fleet="clinic", trusted=(key.public,))
        return cls(root, key, book, FolderLedger(root / "ledger"))

    @property
    def folder(self) -> Path:
        """The folder of the fleet's receipts."""
        return self.root / "vault" / "receipts" / "clinic"

    def chain(self, number: int) -> Path:
        """Name the file that holds a receipt by its number."""
        return self.folder / "_chain" / f"{number:012d}.json"

    def issue(self, outcome: DrillOutcome) -> IssuedReceipt:
        """Issue a receipt."""
        signer = Signer(key=self.key, policy="Backup policy 3", keep=timedelta(days=2192))
        return issue_receipt(outcome, self.book, signer, self.ledger, quietly, clock=lambda: outcome.ended_at)

    def issue_many(self, count: int) -> list[IssuedReceipt]:
        """Issue the receipts of several drills, one a week."""
        return [self.issue(outcome_of(number)) for number in range(1, count + 1)]


def verify_alone(*words: str | Path, keys: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run the script in a Python that sees no package but its own library."""
    wanted = [word for key in keys for word in ("--key", key)]
    argv = [sys.executable, "-I", "-S", str(SCRIPT), *map(str, words), *wanted]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", env={})
