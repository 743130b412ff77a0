"""Puts reports together: one of a database, one of the whole fleet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.fleet.model import Database, Fleet
from pgtend.health.model import Level
from pgtend.health.units import Unit
from pgtend.kernel.times import say_span
from pgtend.report.concerns import Concern, concerns_of, level_of, verdict_of
from pgtend.report.document import Cell, Column, Mark, Report, Section, Table, leveled, moment, number, text
from pgtend.report.facts import BackupFact, Daily, Happened
from pgtend.report.gather import DatabaseFacts, FleetFacts
from pgtend.report.health_section import changes_table, health_section, looked_at, objects_section
from pgtend.report.safety_section import backups_section, drills_section, work_section
from pgtend.report.statements_section import load_section, statements_section

FLEET: Final = "fleet"
_DATABASES_NAMED: Final = 3


def database_report(fleet: Fleet, database: Database, known: FleetFacts, facts: DatabaseFacts) -> Report:
    """Say everything about one database."""
    name, now = database.name, known.now
    standing, backups = known.standing[name], known.backups[name]
    concerns = concerns_of(database, standing, known.troubles[name], backups, now)
    marks = [_mark(event) for event in facts.happened]
    last = facts.load[-1].day if facts.load else now.date()
    return Report(
        name=name,
        title=name,
        fleet=fleet.fleet,
        environment=fleet.environment.value,
        owner=database.owner,
        made_at=now,
        level=level_of(concerns),
        verdict=verdict_of(name, concerns),
        facts=_facts(looked_at(standing), backups, known.daily[name].get(Watched.DATABASE_SIZE, ()), now),
        sections=(
            _attention(concerns),
            Section(key="changed", title="What changed in the last week", tables=(changes_table(facts.changes),)),
            load_section(facts.load, marks),
            statements_section(facts.costly, facts.spent, facts.worse, last),
            health_section(database, standing, known.daily[name], marks),
            objects_section(facts.tables, facts.pools, known.daily[name]),
            backups_section(backups),
            drills_section(facts.drills),
            work_section(known.work[name], now),
        ),
    )


def fleet_report(fleet: Fleet, known: FleetFacts) -> Report:
    """Say how all databases stand, worst first."""
    concerns = {
        name: concerns_of(database, known.standing[name], known.troubles[name], known.backups[name], known.now)
        for name, database in fleet.databases.items()
    }
    order = sorted(concerns, key=lambda name: (-level_of(concerns[name]).rank, name))
    rows = tuple(_fleet_row(fleet.databases[name], known, concerns[name]) for name in order)
    worst = max((level_of(found) for found in concerns.values()), key=lambda level: level.rank, default=Level.UNKNOWN)
    return Report(
        name=FLEET,
        title=f"Fleet {fleet.fleet}",
        fleet=fleet.fleet,
        environment=fleet.environment.value,
        owner=fleet.owner,
        made_at=known.now,
        level=worst,
        verdict=_fleet_verdict(worst, order, concerns),
        facts=(("Databases", str(len(rows))),),
        sections=(
            Section(key="databases", title="Databases", tables=(_fleet_table(rows),)),
            *(
                Section(key=name, title=name, tables=(_concern_table(concerns[name]),))
                for name in order
                if concerns[name]
            ),
        ),
    )


def _fleet_verdict(worst: Level, order: Sequence[str], concerns: dict[str, tuple[Concern, ...]]) -> str:
    same = [name for name in order if level_of(concerns[name]) is worst]
    named = ", ".join(same[:_DATABASES_NAMED]) + (
        f" and {len(same) - _DATABASES_NAMED} more" if len(same) > _DATABASES_NAMED else ""
    )
    verb = "needs" if len(same) == 1 else "need"
    return {
        Level.CRITICAL: f"{named} {verb} somebody now.",
        Level.WARNING: f"Nothing is critical; {named} {verb} a look this week.",
        Level.UNKNOWN: f"Nothing is known to be wrong, but not everything is known of {named}.",
    }.get(
        worst, "Every database is fine: all that is watched is within its limits, and every newest backup is in time."
    )


def _fleet_table(rows: tuple[tuple[Cell, ...], ...]) -> Table:
    return Table(
        key="databases",
        title="All databases, worst first",
        columns=(
            Column("level", "Level"),
            Column("database", "Database"),
            Column("worst", "What is worst"),
            Column("backup", "Newest sound backup"),
            Column("size", "Size", is_number=True),
            Column("history", "Size, 90 days"),
            Column("load", "Transactions, 90 days"),
            Column("alerts", "Open alerts", is_number=True),
        ),
        rows=rows,
        empty="The fleet file names no database.",
    )


def _fleet_row(database: Database, known: FleetFacts, concerns: Sequence[Concern]) -> tuple[Cell, ...]:
    name = database.name
    sound = next((one for one in known.backups[name] if one.state not in {"DAMAGED", "BROKEN"}), None)
    sizes = known.daily[name].get(Watched.DATABASE_SIZE, ())
    size = next((row.value for row in known.standing[name] if row.metric == Watched.DATABASE_SIZE), None)
    return (
        leveled(level_of(concerns)),
        text(name, database.owner),
        text(concerns[0].what if concerns else "nothing", f"{len(concerns) - 1} more" if len(concerns) > 1 else ""),
        Cell(shown=f"{say_span(known.now - sound.taken_at)} ago", raw=sound.taken_at.isoformat(), small=sound.state)
        if sound
        else Cell(shown="none known"),
        number(size, Unit.BYTES),
        Cell(shown="", spark=tuple(day.last for day in sizes)),
        Cell(shown="", spark=tuple(day.mean for day in known.daily[name].get(Watched.TRANSACTIONS, ()))),
        number(len(known.troubles[name]), Unit.AMOUNT),
    )


def _attention(concerns: Sequence[Concern]) -> Section:
    return Section(key="attention", title="What needs somebody", tables=(_concern_table(concerns),))


def _concern_table(concerns: Sequence[Concern]) -> Table:
    return Table(
        key="attention",
        title="Worst first",
        columns=(
            Column("level", "Level"),
            Column("what", "What"),
            Column("since", "Since (UTC)"),
            Column("advice", "What to do"),
        ),
        rows=tuple(
            (leveled(one.level), text(_sentence(one.what), one.why), moment(one.since), text(one.advice))
            for one in concerns
        ),
        empty="Nothing. Every metric that is watched is within its limits.",
    )


def _facts(
    looked: datetime | None, backups: Sequence[BackupFact], sizes: Sequence[Daily], now: datetime
) -> tuple[tuple[str, str], ...]:
    sound = next((backup for backup in backups if backup.state not in {"DAMAGED", "BROKEN"}), None)
    proven = next((backup for backup in backups if backup.state == "PROVEN"), None)
    return (
        ("Looked at", _ago(now - looked) if looked else "never"),
        ("Newest backup", f"{say_span(now - sound.taken_at)} ago, {sound.state}" if sound else "none known"),
        ("Newest proven backup", f"{say_span(now - proven.taken_at)} ago" if proven else "none of the newest"),
        ("Days of history", str(len(sizes))),
    )


def _ago(span: timedelta) -> str:
    return f"{say_span(span)} ago" if span >= timedelta(seconds=1) else "just now"


def _mark(event: Happened) -> Mark:
    return Mark(event.at.date(), f"{event.kind} {event.detail}".strip().replace("_", " "))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
