"""Backups and work in a report: what could be restored, how sure we are, and what ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pgtend.health.model import Level
from pgtend.health.units import Unit
from pgtend.kernel.times import say_span
from pgtend.report.document import Cell, Chart, Column, Section, Step, Table, leveled, moment, number, text
from pgtend.report.facts import BackupFact, DrillFact, Work

_STATE_LEVELS: Final = {
    "PROVEN": Level.OK,
    "VERIFIED": Level.OK,
    "STORED": Level.UNKNOWN,
    "DAMAGED": Level.CRITICAL,
    "BROKEN": Level.CRITICAL,
}
_VERDICT_LEVELS: Final = {"PASS": Level.OK, "PASS_PARTIAL": Level.WARNING, "FAIL": Level.CRITICAL}
_OUTCOME_LEVELS: Final = {
    "succeeded": Level.OK,
    "running": Level.UNKNOWN,
    "failed": Level.CRITICAL,
    "interrupted": Level.WARNING,
    "vanished": Level.CRITICAL,
}


def backups_section(backups: Sequence[BackupFact]) -> Section:
    """Show what could be restored, and how sure we are of each."""
    steps: dict[object, Step] = {}
    for backup in reversed(backups):
        day = backup.taken_at.date()
        steps[day] = Step(day=day, value=backup.stored_bytes)
    return Section(
        key="backups",
        title="Backups",
        lead="STORED: the vault took it. VERIFIED: every byte was read back. PROVEN: a drill restored and compared it.",
        charts=(
            Chart(
                key="backup_bytes",
                title="Size in the vault",
                unit=Unit.BYTES,
                steps=tuple(steps.values()),
                empty="No backup is known to the ledger.",
                is_bars=True,
            ),
        ),
        tables=(
            Table(
                key="backups",
                title="Newest backups",
                columns=(
                    Column("state", "State"),
                    Column("taken", "Shows (UTC)"),
                    Column("backup", "Backup"),
                    Column("stored", "In the vault", is_number=True),
                    Column("rows", "Rows", is_number=True),
                    Column("took", "Took", is_number=True),
                    Column("copies", "Copies"),
                ),
                rows=tuple(_backup_row(backup) for backup in backups),
                empty="No backup is known to the ledger, so nothing is known to be restorable from it.",
            ),
        ),
    )


def drills_section(drills: Sequence[DrillFact]) -> Section:
    """Show what drills proved, and how long a restore took in each beside what is allowed."""
    timed = {drill.ended_at.date(): drill for drill in reversed(drills) if drill.rto_measured is not None}
    target = next((drill.rto_target for drill in drills if drill.rto_target is not None), None)
    return Section(
        key="drills",
        title="Restore drills",
        lead="A drill restores a backup in a sealed place and compares everything.",
        charts=(
            Chart(
                key="rto",
                title="Time to restore",
                unit=Unit.SECONDS,
                steps=tuple(
                    Step(day=day, value=drill.rto_measured.total_seconds() if drill.rto_measured else 0.0)
                    for day, drill in timed.items()
                ),
                empty="No drill has been recorded, so nobody knows how long a restore takes or whether one succeeds.",
                critical=target.total_seconds() if target else None,
                is_bars=True,
            ),
        ),
        tables=(
            Table(
                key="drills",
                title="Drills of the last year",
                columns=(
                    Column("verdict", "Verdict"),
                    Column("ended", "Ended (UTC)"),
                    Column("backup", "Backup"),
                    Column("took", "Took", is_number=True),
                    Column("target", "Allowed", is_number=True),
                    Column("predicted", "At today's size", is_number=True),
                    Column("lost", "Would have lost", is_number=True),
                ),
                rows=tuple(_drill_row(drill) for drill in drills),
                empty="No drill has been recorded.",
            ),
        ),
    )


def _drill_row(drill: DrillFact) -> tuple[Cell, ...]:
    said = drill.failure_class or (f"not checked: {drill.not_checked}" if drill.not_checked else "")
    return (
        leveled(_VERDICT_LEVELS.get(drill.verdict, Level.UNKNOWN), drill.verdict),
        moment(drill.ended_at),
        text(drill.backup_id, said or drill.rule),
        _span(drill.rto_measured),
        _span(drill.rto_target),
        _span(drill.rto_predicted),
        _span(drill.rpo_measured),
    )


def work_section(work: Sequence[Work], now: datetime) -> Section:
    """Show how every pipeline of the database stands."""
    return Section(
        key="work",
        title="Work",
        tables=(
            Table(
                key="work",
                title="Pipelines",
                columns=(
                    Column("outcome", "Newest run"),
                    Column("pipeline", "Pipeline"),
                    Column("started", "Began (UTC)"),
                    Column("took", "Took", is_number=True),
                    Column("good", "Last ended well"),
                    Column("failures", "Failed in 7 days", is_number=True),
                ),
                rows=tuple(_work_row(run, now) for run in work),
                empty="The ledger knows no run of any pipeline.",
            ),
        ),
    )


def _backup_row(backup: BackupFact) -> tuple[Cell, ...]:
    return (
        leveled(_STATE_LEVELS.get(backup.state, Level.UNKNOWN), backup.state),
        moment(backup.taken_at),
        text(backup.backup_id, backup.faults),
        number(backup.stored_bytes, Unit.BYTES),
        number(backup.rows, Unit.AMOUNT),
        _span(backup.took),
        text(", ".join(backup.copies) or "none"),
    )


def _work_row(run: Work, now: datetime) -> tuple[Cell, ...]:
    error = f"{run.error_message} [{run.error_code}]" if run.error_code else ""
    good = moment(run.good_at, f"{say_span(now - run.good_at)} ago" if run.good_at else "never yet")
    return (
        leveled(_OUTCOME_LEVELS.get(run.outcome, Level.UNKNOWN), run.outcome),
        text(run.pipeline, error),
        moment(run.started_at),
        _span(run.took),
        good,
        number(run.failures, Unit.AMOUNT),
    )


def _span(took: timedelta | None) -> Cell:
    return Cell(shown="\N{EN DASH}" if took is None else say_span(took), raw=took.total_seconds() if took else None)
