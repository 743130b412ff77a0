"""`pgtend watchdog`: says when what should have happened did not, also while no part of Airflow is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pgtend.cli.options import AsJson, desk_of

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk
    from pgtend.watchdog.job import RoundReport


def watchdog(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Look once and end, for a line in cron.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch vault, ledger, Airflow and the alert channels from outside Airflow; tell once when something breaks."""
    import time

    from pgtend.cli import screen
    from pgtend.kernel.errors import PgtendError

    while True:
        desk = desk_of(context)
        try:
            report, every = _look(desk), desk.fleet.watchdog.every
        except PgtendError as error:
            if once:
                raise
            # Whatever it is, the next round may find it mended; the dead-man's switch hears nothing meanwhile.
            screen.show_error(error)
            time.sleep(60)
            continue
        if once:
            _end(report, as_json=as_json)
            return
        time.sleep(every.total_seconds())


def _look(desk: Desk) -> RoundReport:
    from pgtend.cli import screen
    from pgtend.watchdog.connections import Connections
    from pgtend.watchdog.job import watch_once
    from pgtend.watchdog.state import state_file

    return watch_once(desk.fleet, Connections(), state_file(desk.fleet.fleet), screen.progress)


def _end(report: RoundReport, *, as_json: bool) -> None:
    """Say what was seen; the exit status is that of the first thing that is broken."""
    from pgtend.cli import screen
    from pgtend.watchdog.job import raise_if_untold

    if as_json:
        names = ("key", "sign", "says", "code", "message", "hint")
        screen.show_json([{name: str(getattr(look, name)) for name in names} for look in report.looks])
    else:
        made = screen.table("what", "sign", "more")
        for look in report.looks:
            made.add_row(look.key, look.sign.value, look.message or look.says)
        screen.show(made)
    raise_if_untold(report)
    if report.broken:
        raise typer.Exit(report.broken[0].exit_status)
