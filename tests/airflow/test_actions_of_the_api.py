"""What may be written through the API beside starts and acknowledgements: receipts reviewed, numbers told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bed.face import FLEET, Face
from bed.ledgers import ask
from bed.receipts import outcome_of
from bed.stored_backups import folder_vault
from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.issue import issue_receipt
from pgtend.drill.receipts.keys import new_signing_key
from pgtend.drill.receipts.signer import Signer
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger

METRICS = "/database/performance/metrics?database=kgc"
OF_CHECKOUT = "/database/performance/trends/app.checkout_seconds?database=kgc&days=1"


VAULT = """\
receipts: {{trusted_keys: {{here: {key}}}}}
vaults: {{main: {{folder: {{path: {path}}}}}}}
databases:"""


@pytest.fixture
def receipt(face: Face, tmp_path: Path) -> str:
    """Put a signed receipt of a drill into the vault, and give its address."""
    key = new_signing_key()
    face.write_fleet(FLEET.replace("databases:", VAULT.format(key=key.public.text, path=tmp_path), 1))
    book = ReceiptBook(vault=folder_vault(tmp_path), fleet="clinic", trusted=(key.public,))
    with face.reporting.session() as session:
        ledger, signer = DatabaseLedger(session), Signer(key=key, keep=timedelta(days=2192))
        issued = issue_receipt(outcome_of(), book, signer, ledger, quietly)
    return f"/databases/kgc/receipts/{issued.sealed.receipt.receipt_id}"


def test_a_review_and_a_corrective_action_stay_with_the_receipt(face: Face, receipt: str) -> None:
    """Whoever reads the receipt reads them too, on its page for auditors as well, and the audit remembers both."""
    assert face.get(receipt).json()["notes"] == []
    doubted = {"verdict": "needs-action", "note": "the second vault was not looked at"}
    assert face.post(f"{receipt}/review", doubted).json()["verdict"] == "needs-action"
    done = {"action": "Ada drills the copy in the second vault on Friday"}
    assert face.post(f"{receipt}/correction", done).json()["kind"] == "correction"
    notes = [(note["kind"], note["by"], note["text"]) for note in face.get(receipt).json()["notes"]]
    assert notes == [
        ("review", "operator", "the second vault was not looked at"),
        ("correction", "operator", "Ada drills the copy in the second vault on Friday"),
    ]
    page = face.get(f"{receipt}/page").text
    assert "Ada drills the copy in the second vault on Friday" in page
    told = face.get("/audit?target=kgc/receipt&most=2", "admin").json()["items"]
    assert [(entry["actor"], entry["action"]) for entry in told] == [("airflow:operator", "receipt.noted")] * 2


def test_a_note_says_something_and_no_secret(face: Face, receipt: str) -> None:
    """Doubt has a reason, a corrective action a text, and a password in either is refused; nothing of it is kept."""
    for path, body in (
        ("review", {"verdict": "rejected"}),
        ("correction", {"action": " "}),
        ("correction", {"action": "the password is now postgres://app:hunter2@db/kgc"}),
    ):
        answer = face.post(f"{receipt}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "drill.note_refused"), answer.text
    assert face.get(receipt).json()["notes"] == []


def test_an_application_tells_its_numbers_and_reads_their_trend(face: Face) -> None:
    """Kept with who told them, listed with the newest, drawn like what is watched; and never mixed up with that."""
    now = utc_now()
    told = [
        {"name": "checkout_seconds", "value": value, "unit": "seconds", "at": (now - back).isoformat()}
        for value, back in ((0.8, timedelta(hours=3)), (1.2, timedelta(hours=1)))
    ]
    answer = face.post(METRICS, {"metrics": [*told, {"name": "queue", "value": 7}]})
    assert (answer.status_code, answer.json()) == (201, {"database": "kgc", "kept": 3})
    newest = [(one["name"], one["value"], one["unit"], one["told_by"]) for one in face.get(METRICS).json()]
    assert newest == [
        ("checkout_seconds", 1.2, "seconds", "airflow:operator"),
        ("queue", 7.0, "", "airflow:operator"),
    ]
    trend = face.get(OF_CHECKOUT).json()
    assert [point["mean"] for point in trend["points"]] == [0.8, 1.2]
    assert (trend["title"], trend["unit"], trend["critical"]) == ("checkout seconds", "seconds", None)
    assert face.get(METRICS.replace("kgc", "lab")).json() == []
    assert face.get(OF_CHECKOUT.replace("checkout", "other")).status_code == 404


@pytest.mark.parametrize(
    "number",
    [
        {"name": "Checkout Seconds", "value": 1},
        {"name": "checkout_seconds", "value": "NaN"},
        {"name": "checkout_seconds", "value": 1, "at": "2026-11-21T10:00:00"},
        {"name": "checkout_seconds", "value": 1, "labels": {"patient": "4711"}},
    ],
    ids=["a name with blanks", "no number", "a time without a zone", "more than a number"],
)
def test_what_is_no_number_is_refused(face: Face, number: dict[str, object]) -> None:
    """All of what came with it, too."""
    assert face.post(METRICS, {"metrics": [{"name": "queue", "value": 7}, number]}).status_code == 422
    assert face.get(METRICS).json() == []


@pytest.mark.parametrize("off", [timedelta(days=-8), timedelta(hours=1)], ids=["last week", "in an hour"])
def test_a_number_of_another_time_is_refused(face: Face, off: timedelta) -> None:
    """A clock that is wrong, or a batch of last month, would bend what others see."""
    late = {"name": "queue", "value": 7, "at": (utc_now() + off).isoformat()}
    answer = face.post(METRICS, {"metrics": [{"name": "queue", "value": 7}, late]})
    assert (answer.status_code, answer.json()["code"]) == (400, "web.bad_request")
    with face.reporting.session() as session:
        assert ask(session, "SELECT count(*)::int FROM reporting.told_metrics") == [0]
