"""Statements in a report: what they cost, night by night, which cost most, and what got worse and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from pgtend.health.units import Unit
from pgtend.kernel.times import say_span
from pgtend.report.document import Cell, Chart, Column, Mark, Section, Step, Table, number, text
from pgtend.report.facts import Costly, LoadNight, Worse

_NOTHING: Final = "No night has been recorded yet: the pipeline statements reads them once it runs."
_SHOWN: Final = 90
_LONGEST: Final = 600
_LONGEST_TITLE: Final = 90


def load_section(load: Sequence[LoadNight], marks: Sequence[Mark]) -> Section:
    """Show what all statements cost in each night of the last quarter."""
    counted = [night for night in load if night.since is not None]

    def drawn(key: str, title: str, unit: Unit, values: Sequence[float]) -> Chart:
        steps = tuple(Step(day=night.day, value=value) for night, value in zip(counted, values, strict=True))
        return Chart(key=key, title=title, unit=unit, steps=steps, empty=_NOTHING, marks=tuple(marks), is_bars=True)

    return Section(
        key="load",
        title="Load",
        lead=quality_of(load),
        charts=(
            drawn("exec_ms", "Time in statements", Unit.SECONDS, [night.exec_ms / 1000 for night in counted]),
            drawn("calls", "Calls", Unit.AMOUNT, [night.calls for night in counted]),
            drawn("io_ms", "Waiting for the disk", Unit.SECONDS, [night.io_ms / 1000 for night in counted]),
            drawn("wal_bytes", "WAL written", Unit.BYTES, [night.wal_bytes for night in counted]),
        ),
    )


def quality_of(load: Sequence[LoadNight]) -> str:
    """Say how far the figures can be trusted: gaps, resets and evictions of the nights that are shown."""
    if not load:
        return ""
    newest = load[-1]
    counted = sum(night.since is not None for night in load)
    said = [f"{counted} of the last {_SHOWN} nights counted"]
    totals = (
        (sum(night.missed_nights for night in load), "missed and contained in the next one"),
        (sum(night.resets for night in load), "resets of all counters"),
        (sum(night.deallocated or 0 for night in load), "evictions, whose counts are lost"),
    )
    said += [f"{amount:,} {what}" for amount, what in totals if amount]
    said.append(f"{newest.entries_on_server:,} of {newest.capacity:,} entries in use")
    said.append("exact" if newest.is_exact else "at least, as this server does not say since when an entry counts")
    return f"{'; '.join(said)}."


def statements_section(
    costly: Sequence[Costly], spent: Mapping[tuple[str, str], Mapping[date, float]], worse: Sequence[Worse], last: date
) -> Section:
    """Show the statements that cost most in the last month, and what got worse in the last week."""
    return Section(
        key="statements",
        title="Statements",
        lead="Literals were taken out before anything was stored.",
        tables=(
            Table(
                key="worse",
                title="Got worse or better, in the last week",
                columns=(
                    Column("day", "Night"),
                    Column("kind", "What"),
                    Column("statement", "Statement"),
                    Column("factor", "Factor", is_number=True),
                    Column("extra", "Extra time", is_number=True),
                    Column("cause", "Cause"),
                ),
                rows=tuple(_worse_row(found) for found in worse),
                empty="Nothing got worse, as far as nights were recorded." if costly else _NOTHING,
            ),
            Table(
                key="top",
                title="Most expensive in the last 30 nights",
                columns=(
                    Column("statement", "Statement"),
                    Column("share", "Share"),
                    Column("time", "Time", is_number=True),
                    Column("history", "90 days"),
                    Column("calls", "Calls", is_number=True),
                    Column("mean", "Mean", is_number=True),
                    Column("rows", "Rows a call", is_number=True),
                    Column("hits", "Cache hits", is_number=True),
                    Column("seen", "Seen", is_number=True),
                ),
                rows=tuple(
                    _costly_row(found, spent.get((found.fingerprint, found.role), {}), last) for found in costly
                ),
                empty=_NOTHING,
            ),
        ),
    )


def _costly_row(found: Costly, days: Mapping[date, float], last: date) -> tuple[Cell, ...]:
    blocks = found.shared_blks_hit + found.shared_blks_read
    deviation = f"\N{PLUS-MINUS SIGN} {_milliseconds(found.deviation_ms)}" if found.deviation_ms is not None else ""
    return (
        _statement(found.query, found.role),
        Cell(shown=f"{100 * found.share:.1f} %", raw=found.share, share=min(found.share, 1.0)),
        number(found.exec_ms / 1000, Unit.SECONDS),
        Cell(shown="", spark=tuple(_history(days, last))),
        number(found.calls, Unit.AMOUNT),
        Cell(shown=_milliseconds(found.mean_ms), raw=found.mean_ms, small=deviation),
        Cell(shown=f"{found.rows / found.calls:,.1f}" if found.calls else "", raw=found.rows),
        number(100 * found.shared_blks_hit / blocks if blocks else None, Unit.PERCENT),
        Cell(shown=f"{found.nights_seen} of {found.nights}", raw=found.nights_seen, small="nights"),
    )


def _worse_row(found: Worse) -> tuple[Cell, ...]:
    since = f"since {found.first_bad_day:%d %b}" if found.first_bad_day else ""
    return (
        Cell(shown=f"{found.day:%Y-%m-%d}", raw=found.day.isoformat(), is_whole=True),
        text(found.kind, since),
        _statement(found.query, found.role) if found.query else text("all of them" if "server" in found.kind else ""),
        Cell(shown=f"{found.ratio:.1f}" if found.ratio else "", raw=found.ratio),
        number(found.extra_ms / 1000, Unit.SECONDS),
        text(found.cause),
    )


def _history(days: Mapping[date, float], last: date) -> Iterator[float | None]:
    for back in range(_SHOWN - 1, -1, -1):
        yield days.get(last - timedelta(days=back))


def _statement(query: str | None, role: str) -> Cell:
    if not query:
        return text("its text is not known yet", role)
    title = " ".join(query.split())
    short = title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}\N{HORIZONTAL ELLIPSIS}"
    whole = query if len(query) <= _LONGEST else f"{query[:_LONGEST]}\N{HORIZONTAL ELLIPSIS}"
    return Cell(shown=short, raw=query, small=role, code=whole)


def _milliseconds(amount: float) -> str:
    return f"{amount:.2f} ms" if amount < 10 else say_span(timedelta(milliseconds=amount))  # noqa: PLR2004 - two digits say enough
