"""Tells people what a judged night found: once when a statement got slower, once when that is over.

A new version of an application may make a hundred statements slower in one night. The dearest few are told one by one,
and all the others in one message.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten
from typing import Final

from pgtend.fleet.model import Fleet
from pgtend.statements.endings import ALL_SLOWER, MANY_SLOWER, SLOWER, ending_of_all
from pgtend.statements.judging import Told, Verdict
from pgtend.statements.model import Kind
from pgtend_airflow.alerts.conditions import Condition, open_conditions, tell_conditions
from pgtend_airflow.alerts.events import remember
from pgtend_airflow.alerts.memory import Memory
from pgtend_airflow.alerts.message import Trouble
from pgtend_airflow.alerts.telling import JUDGING, Origin, Telling

_ONE_BY_ONE: Final = 5
_EVERYTHING: Final = "everything"
_OTHERS: Final = "others"
_NO_OTHERS: Final = "No statement is slower than usual but those that you were told of one by one."
_WARNING: Final = "warning"
_RUNBOOK: Final = "See docs/runbooks/slower-statement.md."
_NEXT: Final = "It is judged again every night. A message follows when it is over."
_LONGEST: Final = 90
_SHOWN: Final = 2000
_MANY_MS: Final = 10_000


def tell_regressions(fleet: Fleet, origin: Origin, verdict: Verdict) -> None:
    """Tell what is news in a judged night. A night that could not be judged says nothing, of good or bad."""
    if not verdict.judgement.remark:
        remember(fleet, lambda memory: _tell(fleet, memory, origin, verdict))


def _tell(fleet: Fleet, memory: Memory, origin: Origin, verdict: Verdict) -> None:
    telling, prefix = Telling(fleet, memory, origin), _prefix(verdict)
    known = open_conditions(telling, prefix).keys()

    def over(name: str) -> str:
        if name == _OTHERS:
            return _NO_OTHERS
        if name == _EVERYTHING:
            return ending_of_all(verdict.judgement) or ""
        fingerprint, _, role = name.partition("/")
        return verdict.ending((fingerprint, role)) or ""

    tell_conditions(telling, prefix, list(conditions(verdict, frozenset(known))), over)


def conditions(verdict: Verdict, known: frozenset[str] = frozenset()) -> Iterator[Condition]:
    """List what people should know of: the dearest that are new and those they know of by name, all others as one."""
    by_name = {_name(told): told for told in verdict.alerts}
    new = [name for name in by_name if name not in known]
    told_as_others = [name for name in new if _OTHERS in known and by_name[name].finding.nights > 1]
    own = [name for name in new if name not in told_as_others][:_ONE_BY_ONE]
    others = [name for name in new if name not in own]
    for name in (*own, *(name for name in by_name if name in known)):
        yield Condition(name=name, trouble=_trouble(verdict, by_name[name]), next_step=_NEXT)
    if others:
        trouble = _trouble_of_others(verdict, [by_name[name] for name in others])
        yield Condition(name=_OTHERS, trouble=trouble, next_step=_NEXT)


def _prefix(verdict: Verdict) -> str:
    """Name the server that was slow: what a replica is asked is another matter than what the database is."""
    replica = verdict.target.replica
    return f"{JUDGING}/replica-{replica}" if replica else f"{JUDGING}/main"


def _name(told: Told) -> str:
    found = told.finding
    return _EVERYTHING if found.kind is Kind.WHOLE_SERVER else f"{found.fingerprint}/{found.role}"


def _trouble(verdict: Verdict, told: Told) -> Trouble:
    found = told.finding
    if found.kind is Kind.WHOLE_SERVER:
        return Trouble(
            code=ALL_SLOWER,
            message=f"every statement {_takes(told)}{_where(verdict)}",
            detail=_sentences(told),
            hint=f"Look at the machine first: `pgtend health {verdict.target.database}`. {_RUNBOOK}",
            watched=_WARNING,
        )
    text = shorten(told.query or found.fingerprint, _LONGEST, placeholder=" ...")
    return Trouble(
        code=SLOWER,
        message=f"a statement of {found.role} {_takes(told)}{_where(verdict)}: {text}",
        detail=_sentences(told),
        hint=f"Compare with the week before: `pgtend compare {verdict.target.database}`. {_RUNBOOK}",
        watched=_WARNING,
    )


def _trouble_of_others(verdict: Verdict, others: list[Told]) -> Trouble:
    extra = sum(told.finding.extra_ms for told in others)
    return Trouble(
        code=MANY_SLOWER,
        message=f"{len(others)} more statements take longer than usual{_where(verdict)}",
        detail=f"Together they cost {_span(extra)} more than usual in the night of {verdict.judgement.day}.",
        hint=f"The report lists them: `pgtend report {verdict.target.database}`. {_RUNBOOK}",
        watched=_WARNING,
    )


def _takes(told: Told) -> str:
    return f"takes {told.finding.ratio or 1:.1f} times as long as usual"


def _where(verdict: Verdict) -> str:
    return f" on the replica {verdict.target.replica}" if verdict.target.replica else ""


def _sentences(told: Told) -> str:
    """Say what is known of it: the statement, the cause, the price, since when, and what happened around that time."""
    found = told.finding
    said = [f"Statement: {shorten(told.query, _SHOWN, placeholder=' ...')}"] if told.query else []
    if told.explanation:
        said.append(f"Cause: {told.explanation.cause}.")
    if found.usual_ms is not None:
        said.append(f"A call took {found.mean_ms:,.2f} ms instead of {found.usual_ms:,.2f} ms, {found.calls:,} times.")
    said.append(f"Impact: {_span(found.extra_ms)} more than usual in this night, {found.share:.1%} of all its time.")
    if found.first_bad_day:
        said.append(f"First bad night: {found.first_bad_day}.")
    said.extend(
        f"Around that time: {event.kind} at {event.at:%Y-%m-%d %H:%M} UTC, {event.detail}." for event in told.events
    )
    return "\n".join(said)


def _span(ms: float) -> str:
    return f"{ms:,.0f} ms" if ms < _MANY_MS else f"{ms / 1000:,.0f} s"
