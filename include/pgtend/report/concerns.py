"""What needs somebody in a database, worst first: from its health, its alerts and its backups. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.fleet.model import Database
from pgtend.fleet.schedules import gap_of
from pgtend.health.metrics import METRICS
from pgtend.health.model import Level
from pgtend.health.units import Metric
from pgtend.kernel.times import say_span
from pgtend.report.facts import BackupFact, OpenTrouble, Standing
from pgtend.statements.endings import CONDITIONS

_BAD_STATES: Final = frozenset({"DAMAGED", "BROKEN"})
_PROVEN: Final = "PROVEN"
_OF_HEALTH: Final = "health."
_LATE_BY: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that needs somebody."""

    level: Level
    what: str
    why: str
    advice: str = ""
    since: datetime | None = None


def concerns_of(
    database: Database,
    standing: Sequence[Standing],
    troubles: Sequence[OpenTrouble],
    backups: Sequence[BackupFact],
    now: datetime,
) -> tuple[Concern, ...]:
    """List what needs somebody, worst first; doubt is a concern of its own."""
    found = [*_health(standing), *_alerts(troubles), *_backups(database, backups, now)]
    return tuple(sorted(found, key=lambda concern: -concern.level.rank))


def level_of(concerns: Sequence[Concern]) -> Level:
    """Give the worst of them; without any, everything was looked at and is fine."""
    return max((concern.level for concern in concerns), key=lambda level: level.rank, default=Level.OK)


def verdict_of(name: str, concerns: Sequence[Concern]) -> str:
    """Say in one sentence how a database stands."""
    level = level_of(concerns)
    if level is Level.OK:
        return f"{name} is fine: every metric that is watched is within its limits, and its newest backup is in time."
    amounts = [(sum(concern.level is one for concern in concerns), one) for one in reversed(Level)]
    said = ", ".join(f"{amount} {one}" for amount, one in amounts if amount)
    worst = concerns[0]
    start = {
        Level.CRITICAL: f"{name} needs somebody now",
        Level.WARNING: f"{name} needs a look this week",
    }.get(level, f"Not everything is known of {name}")
    return f"{start} ({said}): {worst.what}."


def metric_of(name: str) -> Metric | None:
    """Find a metric by its name in the ledger, which may be that of another version."""
    return METRICS.get(Watched(name)) if name in set(Watched) else None


def _health(standing: Sequence[Standing]) -> Iterator[Concern]:
    if not standing:
        yield Concern(
            level=Level.UNKNOWN,
            what="nobody has looked at its health yet",
            why="The ledger holds no reading of it.",
            advice="The pipeline health looks every five minutes once it is unpaused.",
        )
        return
    unknown = [row for row in standing if row.level == Level.UNKNOWN]
    for row in standing:
        metric = metric_of(row.metric)
        if row.level in {Level.WARNING, Level.CRITICAL} and metric is not None:
            value = "" if row.value is None else f" {metric.unit.say(row.value)}"
            about = f" ({row.about})" if row.about else ""
            yield Concern(
                level=Level(row.level),
                what=f"{metric.title}{value}{about}",
                why=row.reason,
                advice=metric.advice,
                since=row.since,
            )
    if unknown:
        titles = [found.title if (found := metric_of(row.metric)) else row.metric for row in unknown]
        more = f" and {len(titles) - 4} more" if len(titles) > 4 else ""  # noqa: PLR2004 - four are enough to see it
        yield Concern(
            level=Level.UNKNOWN,
            what=f"{len(unknown)} of {len(standing)} metrics are unknown",
            why=f"{', '.join(titles[:4])}{more}: {unknown[0].reason}",
            advice="See docs/runbooks/health-unseen.md.",
        )


def _alerts(troubles: Sequence[OpenTrouble]) -> Iterator[Concern]:
    for trouble in troubles:
        # What health itself says stands above already, with its number of today.
        if trouble.code.startswith(_OF_HEALTH):
            continue
        is_condition = trouble.code in CONDITIONS
        yield Concern(
            level=Level.CRITICAL if trouble.severity == "page" else Level.WARNING,
            what=trouble.message if is_condition else f"{trouble.pipeline} fails",
            why="More about it below, under Statements." if is_condition else f"{trouble.message} [{trouble.code}]",
            advice=trouble.hint,
            since=trouble.opened_at,
        )


def _backups(database: Database, backups: Sequence[BackupFact], now: datetime) -> Iterator[Concern]:
    if not database.backup.enabled:
        return
    sound = [backup for backup in backups if backup.state not in _BAD_STATES]
    for backup in backups:
        if backup.state in _BAD_STATES:
            said = f"Backup {backup.backup_id} is {backup.state.lower()}"
            why = backup.faults or "a drill found that it restores to something else"
            advice = "See docs/runbooks/backup-damaged.md."
            yield Concern(level=Level.CRITICAL, what=said, why=why, advice=advice, since=backup.seen_at)
    if not sound:
        why = "The ledger knows none; `pgtend backups` asks the vault itself."
        advice = f"Take one: `pgtend backup {database.name}`."
        yield Concern(level=Level.CRITICAL, what="no sound backup is known", why=why, advice=advice)
        return
    allowed = gap_of(database.backup.schedule) * _LATE_BY
    age = now - sound[0].taken_at
    if age > allowed:
        why = f"The newest sound backup is {say_span(age)} old, and one is due every {say_span(allowed / _LATE_BY)}."
        advice = "See docs/runbooks/backup-not-taken.md."
        yield Concern(level=Level.CRITICAL, what="the newest backup is too old", why=why, advice=advice)
    if not any(backup.state == _PROVEN for backup in sound):
        why = "None of the backups that are shown here was ever restored and compared."
        yield Concern(level=Level.UNKNOWN, what="no backup is proven", why=why, advice="A restore drill proves one.")
