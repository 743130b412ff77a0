"""What is broken now, and whether somebody said that it is being looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pgtend.overview.history import AlertRow
from pgtend.overview.model import Cell, Column, Light, Overview, say_age, says_of_rows, worst

ALERTS = Column(
    key="alerts",
    title="Open alerts",
    meaning="What broke and has not recovered. Red until somebody acknowledges it; then yellow until it recovers.",
)


def is_acknowledged(alert: AlertRow, now: datetime) -> bool:
    """Tell whether somebody is on it: an acknowledgement ends, so that nothing is silent for ever."""
    return alert.acknowledged_until is not None and alert.acknowledged_until > now


def alerts_cell(database: str, alerts: Sequence[AlertRow], now: datetime) -> Cell:
    """Judge what is open for one database."""
    page = f"page:{database}/alerts"
    if not alerts:
        return Cell(light=Light.GOOD, says="none", why="Nothing is open.", link=page)
    waiting = [alert for alert in alerts if not is_acknowledged(alert, now)]
    first = (waiting or list(alerts))[0]
    since = say_age(now - first.opened_at)
    if not waiting:
        who = first.acknowledged_by.removeprefix("airflow:")
        why = f"{who} acknowledged it: {first.message}. It broke {since} ago."
        return Cell(light=Light.WATCH, says=f"{len(alerts)} acknowledged", why=why, link=page)
    return Cell(
        light=Light.BAD,
        says=f"{len(waiting)} open",
        why=f"For {since}: {first.message} [{first.code}].",
        link=page,
    )


def with_alerts_of_fleet(seen: Overview, alerts: Sequence[AlertRow], now: datetime) -> Overview:
    """Let what is open about the fleet as a whole count: a tampered audit is in the row of no database."""
    told = [alert for alert in alerts if not alert.is_of_server]
    if not told:
        return seen
    waiting = [alert for alert in told if not is_acknowledged(alert, now)]
    if not waiting:
        says = f"{seen.says} Somebody looks at the fleet as a whole: {told[0].message}."
        return replace(seen, light=worst((seen.light, Light.WATCH)), says=says)
    says = f"The fleet as a whole needs somebody now: {waiting[0].message}. {says_of_rows(seen)}"
    return replace(seen, light=Light.BAD, says=says)
