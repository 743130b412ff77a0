"""What a drill leaves in the ledger, and what the next one reads there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import cast

from pgtend.drill.byproducts import RECORD_INDEX_SIZE, RECORD_TABLE_SIZE, ExactSizes, index_rows, table_rows
from pgtend.drill.model import CheckName, DrillOutcome, Rule, Verdict
from pgtend.drill.selection import PastDrill
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Ledger, Run
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRow:
    """A drill as a whole."""

    database: str
    backup_id: str
    vault: str
    rule: str
    verdict: str
    failure_class: str
    taken_at: datetime
    started_at: datetime
    ended_at: datetime
    isolation_level: int
    isolation_means: str
    server_version: str
    rto_target: timedelta | None
    rto_measured: timedelta | None
    rto_predicted: timedelta | None
    rto_crosses_at: datetime | None
    rpo_target: timedelta | None
    rpo_measured: timedelta | None
    source_size: int
    checks_due: str
    """Names of the checks that were due, with a comma in between."""
    not_checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """A stage of a drill."""

    database: str
    stage: str
    started_at: datetime
    took: timedelta
    bytes: int | None
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A check of a drill."""

    database: str
    check_name: str
    subject: str
    outcome: str
    failure_class: str
    expected: str
    found: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A drill that was done, as the next one has to know it."""

    rule: str
    vault: str
    verdict: str
    ended_at: datetime
    checks_due: str


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """What a smoke query got the last time."""

    subject: str
    found: str


RECORD_DRILL = command(_ROOM, "record_drill")
RECORD_STAGE = command(_ROOM, "record_stage")
RECORD_CHECK = command(_ROOM, "record_check")
READ_PAST = query(_ROOM, "read_past", Known)
READ_LAST_ANSWERS = query(_ROOM, "read_last_answers", LastAnswer)


def record(run: Run, outcome: DrillOutcome, sizes: ExactSizes) -> None:
    """Write everything down."""
    run.add(RECORD_STAGE, _stages(outcome))
    run.add(RECORD_CHECK, _checks(outcome))
    if sizes.tables:
        run.add(RECORD_TABLE_SIZE, table_rows(outcome.database, sizes.tables))
    if sizes.indexes:
        run.add(RECORD_INDEX_SIZE, index_rows(outcome.database, sizes.indexes))
    # Last, so that a drill that is there is there with all its parts.
    run.add(RECORD_DRILL, [_drill(outcome)])


def past_drills(ledger: Ledger, database: str) -> tuple[PastDrill, ...]:
    """Remember the drills of a database."""
    if isinstance(ledger, DatabaseLedger):
        known = ledger.reach(lambda session: session.rows(READ_PAST, {"database": database}))
        return tuple(_past(one.rule, one.vault, one.verdict, one.ended_at, one.checks_due) for one in known)
    return tuple(
        _past(
            str(line["rule"]),
            str(line["vault"]),
            str(line["verdict"]),
            _moment(line["ended_at"]),
            str(line["checks_due"]),
        )
        for line in _lines(ledger, RECORD_DRILL.name, database)
    )


def last_answers(ledger: Ledger, database: str) -> Mapping[str, Decimal]:
    """Remember what each smoke query got in the last drill in which it passed, where that is a number."""
    if isinstance(ledger, DatabaseLedger):
        found = ledger.reach(lambda session: session.rows(READ_LAST_ANSWERS, {"database": database}))
        pairs = [(one.subject, one.found) for one in found]
    else:
        pairs = [
            (str(line["subject"]), str(line["found"]))
            for line in _lines(ledger, RECORD_CHECK.name, database)
            if (line["check_name"], line["outcome"]) == (CheckName.SMOKE.value, "passed")
        ]
    return {subject: number for subject, text in pairs if (number := _number(text)) is not None}


def _past(rule: str, vault: str, verdict: str, ended_at: datetime, due: str) -> PastDrill:
    names = frozenset(CheckName(name) for name in due.split(",") if name in set(CheckName))
    proved = Verdict(verdict) is not Verdict.FAIL
    return PastDrill(rule=Rule(rule), vault=vault, ended_at=ended_at, proved=proved, checks=names)


def _lines(ledger: Ledger, kind: str, database: str) -> Iterator[Mapping[str, object]]:
    """Read evidence of one kind from the files of a folder, oldest first: names of runs sort by time."""
    if not isinstance(ledger, FolderLedger):
        return
    for path in sorted((ledger.path / "evidence").glob("*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            line = cast("Mapping[str, object]", json.loads(text))
            if (line.get("kind"), line.get("database")) == (kind, database):
                yield line


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _drill(outcome: DrillOutcome) -> DrillRow:
    return DrillRow(
        database=outcome.database,
        backup_id=outcome.backup.backup_id,
        vault=outcome.selection.vault,
        rule=outcome.selection.rule.value,
        verdict=outcome.verdict.value,
        failure_class=outcome.failure.value if outcome.failure else "",
        taken_at=outcome.backup.taken_at,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        isolation_level=outcome.isolation.level.value,
        isolation_means=outcome.isolation.means,
        server_version=outcome.drill_version,
        rto_target=outcome.rto.target,
        rto_measured=outcome.rto.measured,
        rto_predicted=outcome.rto.predicted,
        rto_crosses_at=outcome.rto.crosses_at,
        rpo_target=outcome.rpo.target,
        rpo_measured=outcome.rpo.measured,
        source_size=outcome.backup.source_size,
        checks_due=",".join(sorted(name.value for name in outcome.due)),
        not_checked=" ".join(outcome.not_checked),
    )


def _stages(outcome: DrillOutcome) -> Sequence[StageRow]:
    return [
        StageRow(
            database=outcome.database,
            stage=one.stage.value,
            started_at=one.started_at,
            took=one.took,
            bytes=one.size,
            rows=one.rows,
        )
        for one in outcome.stages
    ]


def _checks(outcome: DrillOutcome) -> Sequence[CheckRow]:
    return [
        CheckRow(
            database=outcome.database,
            check_name=one.name.value,
            subject=one.subject,
            outcome=one.outcome.value,
            failure_class=one.failure.value if one.failure else "",
            expected=one.expected,
            found=one.found,
            detail=one.detail,
        )
        for one in outcome.checks
    ]
