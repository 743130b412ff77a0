"""The receipt of a drill: an in-toto statement about one backup, made from counts, digests, names and times alone.

The model here is the format: its JSON Schema is docs/reference/receipt.schema.json, and `receipt_of` is the only way
from a drill's outcome into it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import ConfigDict, Field, ValidationError

from pgtend.backup.manifest import manifest_key
from pgtend.backup.record import Record
from pgtend.drill.failures import Blame, FailureClass
from pgtend.drill.model import CheckName, CheckOutcome, DrillOutcome, Rule, Target, Verdict, missing_checks
from pgtend.drill.receipts.envelope import ReceiptBroken
from pgtend.drill.stages import Stage
from pgtend.fleet.leaks import secret_in
from pgtend.kernel.digests import canonical_json
from pgtend.kernel.errors import Misconfigured

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:pgtend:restore-drill:v1"
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class NewerReceipt(Misconfigured):
    """A receipt was written by a pgtend newer than this one."""

    code = "drill.newer_receipt"


class ChainLink(Record):
    """Where a receipt stands in the chain of its fleet."""

    sequence: int = Field(ge=1, description="Its number: the first receipt of a fleet is 1, and none is left out.")
    previous_sha256: Sha256 | None = Field(description="Digest of the whole envelope before it; null for the first.")


class AuditHeadThen(Record):
    """The newest entry of the audit when the receipt was written: nothing before it can be changed unnoticed."""

    seq: int
    hash: str


class DrillRun(Record):
    """Who had the drill run, when, and where it can be seen."""

    run_id: str
    operator: str
    url: str
    started_at: datetime
    ended_at: datetime
    host: str


class ChosenBy(Record):
    """How the backup was chosen."""

    rule: Rule
    seed: str
    candidates: int
    vault: str
    key_name: str = Field(description="Name of the recipient whose private key opened it; empty when it is not sealed.")


class BackupTested(Record):
    """The backup, as its manifest says; the statement's subject is that manifest."""

    backup_id: str
    place: str
    taken_at: datetime
    lsn: str
    system_identifier: str
    source_version: str
    source_size: int
    plain_size: int
    stored_size: int
    parts: int
    tables: int
    rows: int


class CanaryTried(Record):
    """Something outside that was reached for from inside before any row was there."""

    what: str
    was_reached: bool
    answer: str


class Surroundings(Record):
    """Where it was restored, with what, and how far that place was shut in."""

    server_version: str
    tools: Mapping[str, str]
    isolation_level: int
    isolation: str
    canaries: tuple[CanaryTried, ...]


class StageTaken(Record):
    """One step, and how long it took."""

    stage: Stage
    started_at: datetime
    took: timedelta
    size: int | None
    rows: int | None


class TimeTarget(Record):
    """How long something may take, took, and would take at today's size."""

    target: timedelta | None
    measured: timedelta | None
    predicted: timedelta | None
    crosses_at: datetime | None
    is_missed: bool


class CheckMade(Record):
    """One check: what was expected and what was found, never the value of a row."""

    name: CheckName
    outcome: CheckOutcome
    subject: str
    expected: str
    found: str
    detail: str
    question_sha256: str
    failure: FailureClass | None


class Failed(Record):
    """One kind of failure, and what has to be mended."""

    failure: FailureClass
    blame: Blame
    meaning: str


class Wiped(Record):
    """What became of the copy."""

    method: str
    is_gone: bool
    kept_until: datetime | None


class Receipt(Record):
    """What one drill proves: the predicate of the statement."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, title="Receipt of a drill")

    format: Literal[1] = 1
    receipt_id: str = Field(description="The id of the drill's run: one drill, one receipt.")
    fleet: str
    database: str
    issued_at: datetime
    chain: ChainLink
    audit_head: AuditHeadThen
    policy: str = Field(description="The backup policy that was carried out, as the auditor knows it; may be empty.")
    verdict: Verdict
    failures: tuple[Failed, ...]
    run: DrillRun
    selection: ChosenBy
    backup: BackupTested
    surroundings: Surroundings
    stages: tuple[StageTaken, ...]
    recovery_time: TimeTarget
    recovery_point: TimeTarget
    checks: tuple[CheckMade, ...]
    not_checked: tuple[str, ...]
    remarks: tuple[str, ...]
    wipe: Wiped


class Digest(Record):
    """A digest of the subject."""

    sha256: Sha256


class About(Record):
    """What the statement is about: the manifest of a backup, by its key in the vault and its digest."""

    name: str
    digest: Digest


class Statement(Record):
    """An in-toto statement, version 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    kind: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[About]
    predicate_type: Literal["urn:pgtend:restore-drill:v1"] = Field(default=PREDICATE_TYPE, alias="predicateType")
    predicate: Receipt

    def payload(self) -> bytes:
        """Write it in the one form that is signed."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def receipt_of(
    outcome: DrillOutcome, *, chain: ChainLink, audit_head: AuditHeadThen, policy: str, issued_at: datetime
) -> Statement:
    """Say what came of a drill in the form that is signed."""
    receipt = Receipt(
        receipt_id=outcome.run_id,
        fleet=outcome.fleet,
        database=outcome.database,
        issued_at=issued_at,
        chain=chain,
        audit_head=audit_head,
        policy=policy,
        verdict=outcome.verdict,
        failures=_failures(outcome),
        run=_run(outcome),
        selection=_selection(outcome),
        backup=_backup(outcome),
        surroundings=_surroundings(outcome),
        stages=_stages(outcome),
        recovery_time=_target(outcome.rto),
        recovery_point=_target(outcome.rpo),
        checks=_checks(outcome),
        not_checked=tuple(map(_said, (*_forgotten(outcome), *outcome.not_checked))),
        remarks=tuple(map(_said, outcome.remarks)),
        wipe=Wiped(method=outcome.wipe.method, is_gone=outcome.wipe.is_gone, kept_until=outcome.wipe.kept_until),
    )
    about = About(
        name=manifest_key(outcome.fleet, outcome.database, outcome.backup.backup_id),
        digest=Digest(sha256=outcome.backup.manifest_sha256),
    )
    return Statement(subject=(about,), predicate=receipt)


def receipt_schema() -> dict[str, object]:
    """Describe the statement for programs that read receipts."""
    return Statement.model_json_schema(by_alias=True, mode="serialization")


def read_statement(payload: bytes) -> Statement:
    """Read what lay in an envelope whose signature holds."""
    try:
        return Statement.model_validate_json(payload)
    except ValidationError as error:
        if _is_ours(payload):
            raise ReceiptBroken(
                "the receipt is signed and yet not written as this pgtend writes one",
                detail=f"{error.error_count()} things in it are unknown or missing.",
                hint="See docs/runbooks/receipt-chain-broken.md.",
            ) from error
        raise NewerReceipt(
            "the receipt has a format that this pgtend does not know",
            hint="Read it with the pgtend that wrote it or a newer one; its verify_receipt.py judges the signature.",
        ) from error


def _is_ours(payload: bytes) -> bool:
    """Tell whether a payload claims to be of the format that is known here."""
    try:
        claimed = cast("dict[str, object]", json.loads(payload))
        inside = cast("dict[str, object]", claimed["predicate"])
        return claimed["predicateType"] == PREDICATE_TYPE and inside["format"] == 1
    except (ValueError, KeyError, TypeError):
        return False


def _said(text: str) -> str:
    """Let words through; what looks like a secret was never meant to be in them."""
    what = secret_in(text)
    return f"(withheld: it looks like {what})" if what else text


def _forgotten(outcome: DrillOutcome) -> tuple[str, ...]:
    """List the checks that were due and left no trace: they are why the verdict is not better."""
    return tuple(f"{name.value}: it was due, and did not run." for name in missing_checks(outcome.checks, outcome.due))


def _failures(outcome: DrillOutcome) -> tuple[Failed, ...]:
    classes = dict.fromkeys(check.failure for check in outcome.failures if check.failure)
    return tuple(Failed(failure=one, blame=one.blame, meaning=one.meaning) for one in classes)


def _run(outcome: DrillOutcome) -> DrillRun:
    return DrillRun(
        run_id=outcome.run_id,
        operator=outcome.operator,
        url=outcome.run_url,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        host=outcome.host,
    )


def _selection(outcome: DrillOutcome) -> ChosenBy:
    chosen = outcome.selection
    return ChosenBy(
        rule=chosen.rule,
        seed=chosen.seed,
        candidates=chosen.candidates,
        vault=chosen.vault,
        key_name=chosen.key_name,
    )


def _backup(outcome: DrillOutcome) -> BackupTested:
    drilled = outcome.backup
    return BackupTested(
        backup_id=drilled.backup_id,
        place=_said(drilled.place),
        taken_at=drilled.taken_at,
        lsn=drilled.lsn,
        system_identifier=drilled.system_identifier,
        source_version=drilled.source_version,
        source_size=drilled.source_size,
        plain_size=drilled.plain_size,
        stored_size=drilled.stored_size,
        parts=drilled.parts,
        tables=drilled.tables,
        rows=drilled.rows,
    )


def _surroundings(outcome: DrillOutcome) -> Surroundings:
    isolation = outcome.isolation
    return Surroundings(
        server_version=outcome.drill_version,
        tools=dict(outcome.tools),
        isolation_level=int(isolation.level),
        isolation=isolation.means,
        canaries=tuple(
            CanaryTried(what=one.what, was_reached=one.was_reached, answer=one.answer) for one in isolation.canaries
        ),
    )


def _stages(outcome: DrillOutcome) -> tuple[StageTaken, ...]:
    return tuple(
        StageTaken(stage=one.stage, started_at=one.started_at, took=one.took, size=one.size, rows=one.rows)
        for one in outcome.stages
    )


def _target(target: Target) -> TimeTarget:
    return TimeTarget(
        target=target.target,
        measured=target.measured,
        predicted=target.predicted,
        crosses_at=target.crosses_at,
        is_missed=target.is_missed,
    )


def _checks(outcome: DrillOutcome) -> tuple[CheckMade, ...]:
    return tuple(
        CheckMade(
            name=one.name,
            outcome=one.outcome,
            subject=one.subject,
            expected=_said(one.expected),
            found=_said(one.found),
            detail=_said(one.detail),
            question_sha256=one.question_sha256,
            failure=one.failure,
        )
        for one in outcome.checks
    )
