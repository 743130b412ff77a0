"""Judges the last night of a target: what got worse, why, since when, and what happened around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from pgtend.fleet.model import Database
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Run
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query
from pgtend.statements.causes import Detail, Explanation, explain
from pgtend.statements.endings import Ending, Slowness, ending_of
from pgtend.statements.model import Finding, Judgement, Key, Kind, RegressionPolicy, Series
from pgtend.statements.quality import Night
from pgtend.statements.snapshot import Target

_AROUND = timedelta(days=1)
# Long enough for a slowness to become usual, and for somebody to come back from a holiday.
_TOLD_SINCE = timedelta(days=90)
# What happens every night explains nothing; what changes a database or its server may explain much.
_TELLING = frozenset(
    {
        "restore",
        "reindex",
        "archive",
        "migrate",
        "migrations",
        "version",
        "extension",
        "restart",
        "counters",
        "baseline",
    }
)
_EXPLAINED = (Kind.REGRESSION, Kind.IMPROVEMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNight(Night):
    """A night of the past, with what was concluded about all of it."""

    major: int
    night_shift: float


@dataclass(frozen=True, slots=True)
class KeptText:
    """The text of a statement without its literals."""

    fingerprint: str
    query: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a database."""

    at: datetime
    kind: str
    detail: str
    run_id: str


@dataclass(frozen=True, slots=True)
class TableAnalyzed:
    """A table whose statistics we renewed."""

    at: datetime
    table_name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A plan that was kept."""

    fingerprint: str
    day: date
    shape: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding on its way into the ledger."""

    database: str
    replica: str
    day: date
    kind: str
    fingerprint: str
    role: str
    calls: int
    mean_ms: float
    usual_ms: float | None
    ratio: float | None
    z: float | None
    extra_ms: float
    share: float
    cause: str
    evidence: str
    first_bad_day: date | None
    nights: int
    events: str
    is_alert: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementRow:
    """A judgement on its way into the ledger."""

    database: str
    replica: str
    day: date
    judged: int
    nights: int
    night_shift: float
    remark: str


READ_NIGHTS = query(__package__ or "", "read_nights", KnownNight)
READ_HISTORY = query(__package__ or "", "read_history", Series)
READ_DETAILS = query(__package__ or "", "read_details", Detail)
READ_TEXTS_KEPT = query(__package__ or "", "read_texts_kept", KeptText)
READ_EVENTS = query(__package__ or "", "read_events", Event)
READ_ANALYSES = query(__package__ or "", "read_analyses", TableAnalyzed)
READ_SLOWNESS = query(__package__ or "", "read_slowness", Slowness)
READ_SHAPES = query(__package__ or "", "read_shapes", Shape)
RECORD_FINDING = command(__package__ or "", "record_finding")
RECORD_JUDGEMENT = command(__package__ or "", "record_judgement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding with its explanation, as people are told it."""

    finding: Finding
    explanation: Explanation | None
    events: tuple[Event, ...]
    query: str

    def __str__(self) -> str:
        found = self.finding
        if found.kind is Kind.WHOLE_SERVER:
            return f"everything took {found.ratio:.1f} times as long as usual"
        times = f" {found.ratio:.1f} times" if found.ratio else ""
        why = f": {self.explanation.cause}" if self.explanation else ""
        since = f", since {found.first_bad_day}" if found.first_bad_day else ""
        around = (
            f"; around that time: {', '.join(f'{e.kind} ({e.detail})' for e in self.events)}" if self.events else ""
        )
        return f"{found.kind}{times} {found.fingerprint} of {found.role}{why}{since}{around}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of judging a night, with the quality of the night it was made of."""

    target: Target
    night: Night
    judgement: Judgement
    told: tuple[Told, ...]
    ratio_limit: float
    slow: Mapping[Key, Slowness] = field(default_factory=dict[Key, Slowness])
    """What people were told of: until now, and tonight."""

    def ending(self, key: Key) -> Ending | None:
        """Tell how the slowness of a statement ended; None while it lasts, and while nobody can tell."""
        return ending_of(key, self.judgement, self.slow.get(key), self.ratio_limit)

    @property
    def alerts(self) -> tuple[Told, ...]:
        """What is large enough to tell people."""
        return tuple(one for one in self.told if one.finding.is_alert)


def policy_of(database: Database) -> RegressionPolicy:
    """Judge by the rules of the fleet file."""
    rules = database.statements.regressions
    return RegressionPolicy(
        least_calls=rules.least_calls,
        z_limit=rules.deviations,
        ratio_limit=rules.ratio,
        alert_share=rules.alert_share,
        alert_ms=rules.alert_time / timedelta(milliseconds=1),
        alert_least_ms=rules.alert_least / timedelta(milliseconds=1),
    )


def judge_night(database: Database, target: Target, ledger: DatabaseLedger, run: Run) -> Verdict | None:
    """Judge the newest night of a target and keep what was found; None when there is no night yet."""
    verdict = ledger.reach(lambda session: _Judge(session, database, target).verdict())
    if verdict is not None:
        run.add(RECORD_FINDING, [_finding_row(target, verdict.judgement.day, told) for told in verdict.told])
        run.add(RECORD_JUDGEMENT, [_judgement_row(target, verdict.judgement)])
    return verdict


@dataclass(frozen=True, slots=True)
class _Judge:
    """One look at the nights of one target."""

    session: Session
    database: Database
    target: Target

    def verdict(self) -> Verdict | None:
        nights = self._nights()
        if not nights:
            return None
        tonight, past, policy = nights[0], _comparable(nights), policy_of(self.database)
        if tonight.is_baseline:
            remark = f"nothing was counted: {tonight.baseline_reason}"
            empty = Judgement(day=tonight.day, judged=0, nights=len(past), night_shift=1.0, findings=(), remark=remark)
            return Verdict(target=self.target, night=tonight, judgement=empty, told=(), ratio_limit=policy.ratio_limit)
        first = min((night.day for night in past), default=tonight.day)
        history = self.session.rows(READ_HISTORY, self._span(first, tonight.day))
        shifts = {night.day: night.night_shift for night in past}
        is_whole = not tonight.baseline_reason
        judged = policy.judge(tonight.day, history, [night.day for night in past], shifts, is_whole=is_whole)
        since = {**self._named, "first_day": judged.day - _TOLD_SINCE}
        return Verdict(
            target=self.target,
            night=tonight,
            judgement=judged,
            told=tuple(self._told(judged, first)),
            slow={one.key: one for one in self.session.rows(READ_SLOWNESS, since)},
            ratio_limit=policy.ratio_limit,
        )

    def _nights(self) -> Sequence[KnownNight]:
        amount = self.database.statements.regressions.nights + 1
        return self.session.rows(READ_NIGHTS, {**self._named, "day": date.max, "nights": amount})

    @property
    def _named(self) -> Mapping[str, object]:
        return {"database": self.target.database, "replica": self.target.replica}

    def _span(self, first: date, last: date) -> Mapping[str, object]:
        return {**self._named, "first_day": first, "day": last}

    def _told(self, judged: Judgement, first: date) -> Iterator[Told]:
        prints = sorted({found.fingerprint for found in judged.findings if found.fingerprint})
        span = {**self._span(first, judged.day), "fingerprints": prints}
        details = self.session.rows(READ_DETAILS, span) if prints else []
        texts = {one.fingerprint: one.query for one in self.session.rows(READ_TEXTS_KEPT, span)} if prints else {}
        shapes = self.session.rows(READ_SHAPES, {**self._named, "fingerprints": prints}) if prints else []
        for found in judged.findings:
            began = found.first_bad_day or judged.day
            theirs = [detail for detail in details if detail.key == found.key]
            text = texts.get(found.fingerprint, "")
            explanation = _explained(found, judged.day, began, theirs, shapes)
            events = self._events(began, text) if found.kind in {*_EXPLAINED, Kind.WHOLE_SERVER} else ()
            yield Told(finding=found, explanation=explanation, events=events, query=text)

    def _events(self, began: date, text: str) -> tuple[Event, ...]:
        """Find what happened within a day of the first bad night and may have to do with it."""
        midnight = datetime.combine(began, time(), UTC)
        span = {"database": self.target.database, "since": midnight - _AROUND, "until": midnight + 2 * _AROUND}
        happened = [event for event in self.session.rows(READ_EVENTS, span) if event.kind in _TELLING]
        analyzed = [
            Event(one.at, "analyze", one.table_name, one.run_id)
            for one in self.session.rows(READ_ANALYSES, span)
            if re.search(rf"\b{re.escape(one.table_name)}\b", text)
        ]
        return tuple(sorted([*happened, *analyzed], key=lambda event: event.at, reverse=True))


def _comparable(nights: Sequence[KnownNight]) -> list[KnownNight]:
    """List the nights before the newest one, back to where another major version served."""
    tonight = nights[0]
    past: list[KnownNight] = []
    for night in nights[1:]:
        if night.major != tonight.major:
            break
        if not night.is_baseline:
            past.append(night)
    return past


def _explained(
    found: Finding, day: date, began: date, details: Sequence[Detail], shapes: Sequence[Shape]
) -> Explanation | None:
    tonight = [detail for detail in details if detail.day == day]
    past = [detail for detail in details if detail.day < began]
    if found.kind not in _EXPLAINED or not tonight or not past:
        return None
    own = [shape for shape in shapes if shape.fingerprint == found.fingerprint]
    before = [shape.shape for shape in own if shape.day < began]
    has_new_plan = bool(own and before) and own[0].shape != before[0]
    return explain(tonight[0], past, has_new_plan=has_new_plan)


def _finding_row(target: Target, day: date, told: Told) -> FindingRow:
    found, why = told.finding, told.explanation
    events = [
        {"at": event.at.isoformat(), "kind": event.kind, "detail": event.detail, "run_id": event.run_id}
        for event in told.events
    ]
    return FindingRow(
        database=target.database,
        replica=target.replica,
        day=day,
        kind=found.kind.value,
        fingerprint=found.fingerprint,
        role=found.role,
        calls=found.calls,
        mean_ms=found.mean_ms,
        usual_ms=found.usual_ms,
        ratio=found.ratio,
        z=found.z,
        extra_ms=found.extra_ms,
        share=found.share,
        cause=why.cause.value if why else "",
        evidence=json.dumps(why.evidence if why else {}),
        first_bad_day=found.first_bad_day,
        nights=found.nights,
        events=json.dumps(events),
        is_alert=found.is_alert,
    )


def _judgement_row(target: Target, judged: Judgement) -> JudgementRow:
    return JudgementRow(
        database=target.database,
        replica=target.replica,
        day=judged.day,
        judged=judged.judged,
        nights=judged.nights,
        night_shift=judged.night_shift,
        remark=judged.remark,
    )
