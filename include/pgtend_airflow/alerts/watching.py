"""Tells people what a look saw: once when a metric gets bad, once when it gets worse, once when it is over.

What is compared is the book of open alerts and not the look before: a look whose message was lost is made up for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.fleet.model import Fleet
from pgtend.health.model import Finding, Level, Reason
from pgtend.health.report import Examination
from pgtend.ledger.alerts import OpenAlert, Severity, Verdict, alert_key
from pgtend_airflow.alerts.events import remember
from pgtend_airflow.alerts.memory import Memory
from pgtend_airflow.alerts.message import CRITICAL, Moment, Trouble
from pgtend_airflow.alerts.telling import WATCHING, Origin, Telling

_UNSEEN: Final = "unseen"
# A question that was not answered once may have met a busy moment.
_UNSEEN_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that people should know of."""

    name: str
    trouble: Trouble

    @property
    def severity(self) -> Severity:
        """Whether somebody is woken up."""
        return Severity.PAGE if self.trouble.wakes_somebody else Severity.TICKET


def tell_health(fleet: Fleet, origin: Origin, exam: Examination) -> None:
    """Tell what is news in a look. A database that does not answer is told of by its task, which fails."""
    if exam.failure is None and exam.is_in_doubt:
        remember(fleet, lambda memory: _tell(fleet, memory, origin, exam))


def conditions(exam: Examination) -> Iterator[Condition]:
    """List what people should know of: each bad metric, and all that nobody can see together."""
    for finding in exam.bad:
        yield Condition(name=finding.watched, trouble=_trouble(finding))
    unseen = [finding for finding in exam.unknown if _is_unseen(finding, exam)]
    if unseen:
        names = ", ".join(finding.watched for finding in unseen)
        why = unseen[0].explanation or unseen[0].reason
        yield Condition(
            name=_UNSEEN,
            trouble=Trouble(
                code="health.unseen",
                message=f"{len(unseen)} metrics cannot be seen: {names}",
                detail=f"The first of them: {why}.",
                hint="Nobody knows how these stand; see docs/runbooks/health-unseen.md.",
                watched="warning",
            ),
        )


def _is_unseen(finding: Finding, exam: Examination) -> bool:
    return finding.reason is not Reason.FIRST_LOOK and exam.look.at - finding.since >= _UNSEEN_FOR


def _trouble(finding: Finding) -> Trouble:
    return Trouble(
        code=f"{WATCHING}.{finding.watched}",
        message=str(finding),
        detail=finding.metric.meaning,
        hint=f"{finding.metric.advice} See docs/runbooks/health.md.".strip(),
        watched=CRITICAL if finding.level is Level.CRITICAL else "warning",
    )


def _tell(fleet: Fleet, memory: Memory, origin: Origin, exam: Examination) -> None:
    telling = Telling(fleet, memory, origin)
    prefix = alert_key(fleet.environment, exam.database, f"{WATCHING}/")
    known = {alert.key: alert for alert in memory.book.open_alerts() if alert.key.startswith(prefix)}
    found = {f"{prefix}{condition.name}": condition for condition in conditions(exam)}
    for key, condition in found.items():
        _broke(telling, key, condition, known)
    for key in known.keys() - found.keys():
        if key.removeprefix(prefix) in _well(exam):
            telling.recovered(known[key])


def _broke(telling: Telling, key: str, condition: Condition, known: Mapping[str, OpenAlert]) -> None:
    """Note what is bad, and send a message when it is new or got worse."""
    before = known.get(key)
    if before is not None and before.severity == condition.severity:
        return
    verdict = telling.memory.book.broke(key, telling.failure(condition.trouble))
    is_worse = before is not None and condition.severity is Severity.PAGE
    moment = Moment.CRITICAL if condition.severity is Severity.PAGE else Moment.WARNS
    if (verdict is not Verdict.SILENT or is_worse) and not telling.send(condition.trouble, moment):
        telling.memory.book.not_sent(key)


def _well(exam: Examination) -> frozenset[str]:
    """Name the conditions that are over: an unknown metric is not."""
    over = {Level.OK, Level.NOT_WATCHED}
    well: set[str] = {finding.watched.value for finding in exam.findings if finding.level in over}
    gone = {watched.value for watched in Watched} - {finding.watched.value for finding in exam.findings}
    unseen = set[str]() if any(_is_unseen(finding, exam) for finding in exam.unknown) else {_UNSEEN}
    return frozenset(well | gone | unseen)
