"""Drills and their receipts: what each proved, how long a recovery takes, and what people said about it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

from fastapi import Path
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.chain import Sealed
from pgtend.drill.receipts.notes import FiledNote, ReviewVerdict, correct_receipt, notes_about, review_receipt
from pgtend.drill.receipts.page import receipt_page
from pgtend.drill.receipts.signer import trusted_keys, vault_of_receipts
from pgtend.ledger.database import DatabaseLedger
from pgtend.overview import drills
from pgtend.overview.drills import DrillCheck, DrillRow, DrillStage
from pgtend.vault.open import open_vault
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import usable_fleet
from pgtend_airflow.web.areas.fleet import Before
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import DatabasePath, Door, Most, Page, page_of
from pgtend_airflow.web.problems import NotFound
from pgtend_airflow.web.standing import Role, StandingDep

DOOR = Door("drills")
RunId: TypeAlias = Annotated[
    str,
    Path(
        pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z-[0-9a-f]{8}$",
        description="The drill's run, which is also the name of its receipt.",
    ),
]


class DrillView(BaseModel):
    """One drill: its steps with their times, and its checks."""

    stages: list[DrillStage]
    checks: list[DrillCheck]


class Said(BaseModel):
    """What somebody said about a receipt."""

    kind: str
    verdict: str
    by: str
    at: str
    text: str


class ReceiptView(BaseModel):
    """A signed receipt whose signature holds."""

    number: int
    sha256: str
    key_id: str
    verdict: str
    backup_id: str
    notes: list[Said]


class Review(BaseModel):
    """What a person decides about a receipt."""

    model_config = ConfigDict(extra="forbid")

    verdict: ReviewVerdict
    note: str = Field(default="", max_length=4000, description="Why; needed unless it is accepted.")


class Correction(BaseModel):
    """What was done, or will be done, about what a drill found."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(max_length=4000, description="What is done about it, by whom and until when.")


@DOOR.get("/databases/{database}/drills", Role.VIEWER, "The drills of one database, newest first")
def list_drills(database: DatabasePath, session: Reading, before: Before = "", most: Most = 50) -> Page[DrillRow]:
    """Read which backup was drilled, what that proved, and how long a recovery takes."""
    found = drills.drills(session, database, before=before, most=most)
    return page_of(found, most, lambda drill: drill.run_id)


@DOOR.get("/databases/{database}/drills/{run_id}", Role.VIEWER, "One drill")
def one_drill(database: DatabasePath, run_id: RunId, session: Reading) -> DrillView:
    """Read every step with its time, and every check: counts, digests and names, never the content of a row."""
    found = DrillView(stages=drills.stages(session, database, run_id), checks=drills.checks(session, database, run_id))
    if not found.stages and not found.checks:
        raise NotFound(f"the ledger knows no drill '{run_id}' of {database}")
    return found


@DOOR.get("/databases/{database}/receipts/{run_id}", Role.VIEWER, "One receipt")
def one_receipt(database: DatabasePath, run_id: RunId) -> ReceiptView:
    """Read a receipt from the vault, check its signature, and add what people said about it."""
    with _receipt(database, run_id) as (book, sealed):
        notes = notes_about(book, sealed)
        return ReceiptView(
            number=sealed.sequence,
            sha256=sealed.sha256,
            key_id=sealed.key_id,
            verdict=sealed.receipt.verdict.value,
            backup_id=sealed.receipt.backup.backup_id,
            notes=[_said(note) for note in notes],
        )


@DOOR.get("/databases/{database}/receipts/{run_id}/page", Role.VIEWER, "One receipt, as a page for auditors")
def receipt_as_page(database: DatabasePath, run_id: RunId) -> HTMLResponse:
    """Write the receipt as one page that needs nothing else, as `pgtend receipt show --page` does."""
    with _receipt(database, run_id) as (book, sealed):
        text = receipt_page(sealed, [filed.note for filed in notes_about(book, sealed)])
    # It is drawn without a script, so none may run in it.
    safe = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-downloads"
    return HTMLResponse(text, headers={"Content-Security-Policy": safe, "X-Content-Type-Options": "nosniff"})


@DOOR.post("/databases/{database}/receipts/{run_id}/review", Role.OPERATOR, "Say what you decided about a receipt")
def review(database: DatabasePath, run_id: RunId, said: Review, who: StandingDep, session: Reading) -> Said:
    """Keep a review beside the receipt; the audit remembers its digest, so that it cannot be taken back unnoticed."""
    with _receipt(database, run_id) as (book, sealed):
        ledger = DatabaseLedger(session)
        filed = review_receipt(book, ledger, sealed, verdict=said.verdict, by=who.name, text=said.note, actor=who.actor)
    return _said(filed)


@DOOR.post("/databases/{database}/receipts/{run_id}/correction", Role.OPERATOR, "Say what is done about a receipt")
def correct(database: DatabasePath, run_id: RunId, said: Correction, who: StandingDep, session: Reading) -> Said:
    """Keep a corrective action beside the receipt, as a review is kept."""
    with _receipt(database, run_id) as (book, sealed):
        ledger = DatabaseLedger(session)
        filed = correct_receipt(book, ledger, sealed, action=said.action, by=who.name, actor=who.actor)
    return _said(filed)


@contextmanager
def _receipt(database: str, run_id: str) -> Generator[tuple[ReceiptBook, Sealed]]:
    fleet, connections = usable_fleet(), AirflowConnections()
    settings = connections.completed(fleet.vaults[vault_of_receipts(fleet)])
    with open_vault(settings, connections.aws_session) as vault:
        book = ReceiptBook(vault=vault, fleet=fleet.fleet, trusted=trusted_keys(fleet.receipts))
        if not book.has(database, run_id):
            raise NotFound(
                f"there is no receipt '{run_id}' of {database}",
                hint="A drill that could not end leaves none; `pgtend receipt list` shows all.",
            )
        yield book, book.find(run_id)


def _said(filed: FiledNote) -> Said:
    note = filed.note
    return Said(
        kind=note.kind.value,
        verdict=note.verdict.value if note.verdict else "",
        by=note.by,
        at=note.at.isoformat(),
        text=note.text,
    )
