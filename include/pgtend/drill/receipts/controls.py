"""What a receipt supports of the controls that auditors ask for, and what it does not. Pure, and careful with words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pgtend.drill.model import CheckName, CheckOutcome, Verdict
from pgtend.drill.receipts.model import Receipt
from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span

HIPAA: Final = "HIPAA Security Rule, 45 CFR 164.308(a)(7)(ii)"
SOC: Final = "SOC 2, Trust Services Criteria"
ISO: Final = "ISO/IEC 27001:2022, Annex A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control, and how far one receipt goes."""

    standard: str
    reference: str
    asks: str
    supports: str
    """What this receipt is evidence of; empty when of nothing."""
    leaves_open: str


def controls_of(receipt: Receipt, reviews: int) -> Sequence[Control]:
    """Say of each control what this receipt supports, and what has to be shown by other means."""
    return (*_hipaa(receipt, reviews), *_soc(receipt), _iso(receipt))


def _hipaa(receipt: Receipt, reviews: int) -> Sequence[Control]:
    return (
        Control(
            standard=HIPAA,
            reference="(A) Data backup plan, required",
            asks="procedures to create and maintain retrievable exact copies",
            supports=_exact(receipt),
            leaves_open="That every system with protected health information is in the plan.",
        ),
        Control(
            standard=HIPAA,
            reference="(B) Disaster recovery plan, required",
            asks="procedures to restore any loss of data",
            supports=_restored(receipt),
            leaves_open="The written plan, the people in it, and everything that is not this database.",
        ),
        Control(
            standard=HIPAA,
            reference="(C) Emergency mode operation plan, required",
            asks="procedures to go on working in an emergency",
            supports="",
            leaves_open="A restore drill says nothing about it.",
        ),
        Control(
            standard=HIPAA,
            reference="(D) Testing and revision, addressable",
            asks="procedures for periodic testing and revision of contingency plans",
            supports=f"One test, with its result. {_reviewed(reviews)}",
            leaves_open="That tests are periodic is shown by the chain of receipts, not by one of them.",
        ),
        Control(
            standard=HIPAA,
            reference="(E) Criticality analysis, addressable",
            asks="the relative criticality of applications and data",
            supports="",
            leaves_open="A restore drill says nothing about it.",
        ),
    )


def _soc(receipt: Receipt) -> Sequence[Control]:
    return (
        Control(
            standard=SOC,
            reference="A1.2",
            asks="backup processes and recovery infrastructure are operated and monitored",
            supports=f"A backup of {receipt.backup.taken_at:%Y-%m-%d %H:%M} UTC was found, fetched and read.",
            leaves_open="Environmental protections, capacity, and the infrastructure of a real recovery.",
        ),
        Control(
            standard=SOC,
            reference="A1.3",
            asks="recovery plan procedures are tested, with the integrity and completeness of backup data",
            supports=_complete(receipt),
            leaves_open="A test of the whole plan, with the people who would carry it out.",
        ),
    )


def _iso(receipt: Receipt) -> Control:
    policy = f"The policy it names is: {receipt.policy}." if receipt.policy else "It names no policy."
    return Control(
        standard=ISO,
        reference="A.8.13 Information backup",
        asks="copies are maintained and regularly tested in accordance with the agreed policy",
        supports=f"One test of one copy: {_result(receipt.verdict)}. {policy}",
        leaves_open="The policy itself; regularity is shown by the chain of receipts.",
    )


def _result(verdict: Verdict) -> str:
    return {
        Verdict.PASS: "nothing was wrong, and all that was due was checked",
        Verdict.PASS_PARTIAL: "nothing that was checked was wrong, and not all that was due was checked",
        Verdict.FAIL: "it failed",
    }[verdict]


def _exact(receipt: Receipt) -> str:
    backup, outcomes = receipt.backup, {check.name: check.outcome for check in receipt.checks}
    compared = (CheckName.RESTORE, CheckName.ROWS, CheckName.CONTENT)
    if receipt.verdict is Verdict.FAIL:
        return "That copies are tested, and that this one did not stand the test."
    if any(outcomes.get(name) is not CheckOutcome.PASSED for name in compared):
        return "That a copy was retrieved; how far it was compared is listed under the checks."
    tables, rows = counted(backup.tables, "table"), counted(backup.rows, "row")
    return (
        f"One copy was retrieved, and its {tables} with {rows} were found to be what the "
        "manifest recorded at the moment of the backup, as far as listed under the checks."
    )


def _restored(receipt: Receipt) -> str:
    if receipt.verdict is Verdict.FAIL:
        return "That restoring is tested, and what went wrong this time."
    took = receipt.recovery_time.measured
    if took is None:
        return "The database was restored from this copy."
    return f"The database was restored from this copy, which took {say_span(took)}."


def _complete(receipt: Receipt) -> str:
    passed = sum(check.outcome is CheckOutcome.PASSED for check in receipt.checks)
    what = f"{passed} of {counted(len(receipt.checks), 'check')} of integrity and completeness passed"
    return f"One test of one procedure, the restore of this database: {what}; {_result(receipt.verdict)}."


def _reviewed(reviews: int) -> str:
    return "It was reviewed, see above." if reviews else "Nobody has reviewed it yet."
