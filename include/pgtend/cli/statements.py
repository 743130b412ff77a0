"""`pgtend statements`, `pgtend top` and `pgtend compare`: what the statements of a database cost, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.options import AsJson, DatabaseName, desk_of
from pgtend.kernel.names import counted

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk
    from pgtend.statements.asking import Compared, Ranking, Spent
    from pgtend.statements.snapshot import Target

Days: TypeAlias = Annotated[int, typer.Option("--days", min=1, max=400, help="How many nights, the newest last.")]
Rows: TypeAlias = Annotated[int, typer.Option("--rows", min=1, max=1000, help="How many statements to show.")]
Replica: TypeAlias = Annotated[str, typer.Option("--replica", metavar="NAME", help="Of this replica instead.")]
By: TypeAlias = Annotated[
    str,
    typer.Option(
        "--by", metavar="WORD", help="What to rank by: time, calls, mean, blocks, io, wal, temp, jit or planning."
    ),
]


def statements(context: typer.Context, database: DatabaseName, as_json: AsJson = False) -> None:
    """Read what every statement cost since the last time, keep the plans of the worst, and judge what changed.

    Nothing is ever reset, and no literal is kept. Reading twice adds what came since, and counts nothing twice.
    """
    from pgtend.cli import screen
    from pgtend.kernel.times import utc_now
    from pgtend.statements.job import PIPELINE, keep_of, tend_statements

    desk = desk_of(context)
    chosen = desk.database(database)
    with desk.ledger() as ledger:
        report = tend_statements(
            chosen,
            desk.address(chosen),
            ledger,
            desk.subject(chosen, PIPELINE),
            screen.progress,
            replicas={name: desk.book.find(one.connection) for name, one in chosen.statements.replicas.items()},
            moment=utc_now(),
            keep=keep_of(desk.fleet),
        )
    if not as_json:
        screen.show(str(report))
        return
    nights = [
        {"target": str(target), "night": str(night.day), "calls": night.calls, "quality": night.quality()}
        for target, night in report.nights.items()
    ]
    alerts = [str(told) for verdict in report.verdicts for told in verdict.alerts]
    screen.show_json({"run_id": report.run_id, "nights": nights, "alerts": alerts})


def top(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    database: DatabaseName,
    days: Days = 7,
    by: By = "time",
    rows: Rows = 20,
    replica: Replica = "",
    as_json: AsJson = False,
) -> None:
    """Show the statements that cost most, and how good the figures are."""
    from pgtend.cli import screen
    from pgtend.statements.asking import read_top

    desk = desk_of(context)
    target = _target(desk, database, replica)
    with desk.ledger() as ledger:
        ranking = read_top(ledger, target, days=days, by=by, rows=rows)
    if as_json:
        screen.show_json({"quality": ranking.quality, "statements": [asdict(one) for one in ranking.rows]})
        return
    screen.show(f"{target}: the dearest of {counted(ranking.nights, 'night')} up to {ranking.last}, by {by}")
    _show_top(ranking)
    screen.show(f"Quality: {ranking.quality}")


def compare(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    database: DatabaseName,
    days: Days = 7,
    rows: Rows = 20,
    replica: Replica = "",
    as_json: AsJson = False,
) -> None:
    """Show what changed between the last nights and as many before them: through more calls, or through dearer ones."""
    from pgtend.cli import screen
    from pgtend.statements.asking import read_comparison

    desk = desk_of(context)
    target = _target(desk, database, replica)
    with desk.ledger() as ledger:
        changed = read_comparison(ledger, target, days=days, rows=rows)
    if as_json:
        screen.show_json({"quality": changed.quality, "statements": [asdict(one) for one in changed.rows]})
        return
    screen.show(f"{target}: {days} nights up to {changed.last}, beside the {days} before")
    _show_comparison(changed.rows)
    screen.show(f"Quality: {changed.quality}")


def _target(desk: Desk, database: str, replica: str) -> Target:
    from pgtend.statements.snapshot import Target

    return Target(database=desk.database(database).name, replica=replica)


def _show_top(ranking: Ranking[Spent]) -> None:
    from pgtend.cli import screen

    right = ("time", "share", "calls", "mean", "rows/call", "hit", "seen")
    made = screen.table("statement", "role", *right, right=right)
    for one in ranking.rows:
        made.add_row(
            _short(one.query, one.fingerprint),
            one.role,
            _span(one.exec_ms),
            f"{one.share:.1%}",
            f"{one.calls:,}",
            _span(one.mean_ms),
            f"{one.rows / max(one.calls, 1):,.1f}",
            f"{one.hit_share:.0%}",
            f"{one.nights_seen}/{ranking.nights}",
        )
    screen.show(made)


def _show_comparison(rows: Sequence[Compared]) -> None:
    from pgtend.cli import screen

    right = ("change", "by calls", "by price", "calls", "before", "mean", "mean before")
    made = screen.table("statement", "role", *right, right=right)
    for one in rows:
        made.add_row(
            _short(one.query, one.fingerprint),
            one.role,
            _span(one.change_ms, sign="+"),
            _span(one.by_calls_ms, sign="+"),
            _span(one.by_mean_ms, sign="+"),
            f"{one.calls:,}",
            f"{one.earlier_calls:,}",
            _span(one.mean_ms),
            _span(one.earlier_mean_ms),
        )
    screen.show(made)


_SECOND, _MINUTE, _HOUR = 1_000.0, 60_000.0, 3_600_000.0
_LONGEST = 90


def _span(milliseconds: float, *, sign: str = "") -> str:
    """Write a time in the unit that reads best."""
    size = abs(milliseconds)
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s")):
        if size >= unit:
            return f"{milliseconds / unit:{sign},.1f} {name}"
    return f"{milliseconds:{sign},.2f} ms"


def _short(query: str, fingerprint: str) -> str:
    text = query or f"(text unknown) {fingerprint}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
