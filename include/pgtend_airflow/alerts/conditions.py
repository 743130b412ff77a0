"""What people should know of although no run failed: told once when it begins, when it gets worse, and at its end.

What is compared is the book of open alerts and not what was found before: a message that was lost is made up for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pgtend.ledger.alerts import OpenAlert, Severity, Verdict, alert_key
from pgtend_airflow.alerts.message import Moment, Trouble
from pgtend_airflow.alerts.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that people should know of, under a name that stays the same as long as it lasts."""

    name: str
    trouble: Trouble
    next_step: str

    @property
    def severity(self) -> Severity:
        """Whether somebody is woken up."""
        return Severity.PAGE if self.trouble.wakes_somebody else Severity.TICKET


Over: TypeAlias = Callable[[str], str]
"""Says of a condition that was open how it ended; nothing while it lasts or nobody knows."""
Known: TypeAlias = Mapping[str, OpenAlert]


def open_conditions(telling: Telling, prefix: str) -> Known:
    """List the conditions below a prefix that people know of, by their names."""
    start = _start(telling, prefix)
    return {
        alert.key.removeprefix(start): alert
        for alert in telling.memory.book.open_alerts()
        if alert.key.startswith(start)
    }


def tell_conditions(telling: Telling, prefix: str, found: list[Condition], over: Over) -> None:
    """Tell what is news among the conditions below a prefix, such as `health`."""
    known, start = open_conditions(telling, prefix), _start(telling, prefix)
    for condition in found:
        _broke(telling, f"{start}{condition.name}", condition, known.get(condition.name))
    for name in known.keys() - {condition.name for condition in found}:
        if how := over(name):
            telling.recovered(known[name], how)


def _start(telling: Telling, prefix: str) -> str:
    return alert_key(telling.fleet.environment, telling.origin.database, f"{prefix}/")


def _broke(telling: Telling, key: str, condition: Condition, before: OpenAlert | None) -> None:
    """Note what is bad, and send a message when it is new or got worse."""
    if before is not None and before.severity == condition.severity:
        return
    verdict = telling.memory.book.broke(key, telling.failure(condition.trouble))
    is_worse = before is not None and condition.severity is Severity.PAGE
    moment = Moment.CRITICAL if condition.severity is Severity.PAGE else Moment.WARNS
    is_news = verdict is not Verdict.SILENT or is_worse
    if is_news and not telling.send(condition.trouble, moment, next_step=condition.next_step):
        telling.memory.book.not_sent(key)
