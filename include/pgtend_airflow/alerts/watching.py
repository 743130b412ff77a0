"""Tells people what a look saw: once when a metric gets bad, once when it gets worse, once when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.fleet.model import Fleet
from pgtend.health.model import Finding, Level, Reason
from pgtend.health.report import Examination
from pgtend_airflow.alerts.conditions import Condition, tell_conditions
from pgtend_airflow.alerts.events import remember
from pgtend_airflow.alerts.message import CRITICAL, RECOVERED, Trouble
from pgtend_airflow.alerts.telling import WATCHING, Origin, Telling

_UNSEEN: Final = "unseen"
# A question that was not answered once may have met a busy moment.
_UNSEEN_FOR: Final = timedelta(minutes=15)


_NEXT: Final = "It is looked at again in some minutes. A message follows when it gets worse and when it is over."


def tell_health(fleet: Fleet, origin: Origin, exam: Examination) -> None:
    """Tell what is news in a look. A database that does not answer is told of by its task, which fails."""
    if exam.failure is None and exam.is_in_doubt:
        found, well = list(conditions(exam)), _well(exam)
        remember(
            fleet,
            lambda memory: tell_conditions(
                Telling(fleet, memory, origin), WATCHING, found, lambda name: RECOVERED if name in well else ""
            ),
        )


def conditions(exam: Examination) -> Iterator[Condition]:
    """List what people should know of: each bad metric, and all that nobody can see together."""
    for finding in exam.bad:
        yield Condition(name=finding.watched, trouble=_trouble(finding), next_step=_NEXT)
    unseen = [finding for finding in exam.unknown if _is_unseen(finding, exam)]
    if unseen:
        names = ", ".join(finding.watched for finding in unseen)
        why = unseen[0].explanation or unseen[0].reason
        yield Condition(
            name=_UNSEEN,
            next_step=_NEXT,
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


def _well(exam: Examination) -> frozenset[str]:
    """Name the conditions that are over: an unknown metric is not."""
    over = {Level.OK, Level.NOT_WATCHED}
    well: set[str] = {finding.watched.value for finding in exam.findings if finding.level in over}
    gone = {watched.value for watched in Watched} - {finding.watched.value for finding in exam.findings}
    unseen = set[str]() if any(_is_unseen(finding, exam) for finding in exam.unknown) else {_UNSEEN}
    return frozenset(well | gone | unseen)
