"""The command `pgtend`: wires the verbs together, and turns whatever comes out of them into words and an exit status.

A command imports what it needs when it runs, so that `pgtend --help` does not wait for drivers of databases.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from pgtend.cli import (
    advice,
    analyze,
    archived,
    audit,
    backup,
    backups,
    catalogue,
    doctor,
    drill,
    fleet,
    health,
    indexes,
    init,
    keys,
    ledger,
    metrics,
    receipts,
    report,
    restore,
    runs,
    statements,
    vaults,
    watchdog,
)
from pgtend.cli.options import Call
from pgtend.kernel.errors import PgtendError, naming_what_is_scarce
from pgtend.kernel.times import utc_now

INTERRUPTED = 130
app = typer.Typer(
    name="pgtend",
    help="PostgreSQL, tended: maintenance that keeps evidence instead of success messages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
plans = typer.Typer(no_args_is_help=True, help="Say what would be done and why; change nothing.")


class Terminated(BaseException):
    """Somebody ended the command, or its terminal is gone: everything in hand is let go of, then it ends."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@app.callback()
def begin(
    context: typer.Context,
    fleet_file: Annotated[
        Path | None,
        typer.Option(
            "--fleet",
            metavar="PATH",
            help="The fleet file. Default: $PGTEND_FLEET, ./fleet.yaml or ~/.config/pgtend/fleet.yaml.",
        ),
    ] = None,
) -> None:
    """PostgreSQL, tended: maintenance that keeps evidence instead of success messages."""
    context.obj = Call(fleet_file)


app.command()(init.init)
app.command()(doctor.doctor)
plans.command("analyze")(analyze.plan)
plans.command("reindex")(indexes.plan)
app.add_typer(plans, name="plan")
app.command("analyze")(analyze.analyze)
app.command()(indexes.reindex)
app.command()(advice.advise)
app.command()(runs.runs)
app.command()(health.health)
app.command()(statements.statements)
app.command()(statements.top)
app.command()(statements.compare)
app.command()(metrics.metrics)
app.command()(report.report)
app.command()(backup.backup)
app.command()(backup.verify)
app.command()(backups.backups)
app.command()(restore.restore)
app.command()(drill.drill)
app.command()(drill.drills)
app.command()(backups.copy)
app.command()(backups.retention)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(archived.app, name="archive")
app.add_typer(fleet.app, name="fleet")
app.add_typer(ledger.app, name="ledger")
app.add_typer(audit.app, name="audit")
app.add_typer(vaults.app, name="vault")
app.add_typer(keys.app, name="keys")
app.command()(watchdog.watchdog)
app.add_typer(receipts.app, name="receipt")


@app.command()
def version() -> None:
    """Say which version of pgtend this is."""
    from importlib.metadata import version as installed

    typer.echo(f"pgtend {installed('pgtend')}")


def run() -> NoReturn:
    """Run one command; the exit status tells the family of what went wrong."""
    signal.signal(signal.SIGTERM, _terminate)
    # A connection to a far machine that breaks takes its terminal with it; whoever says `nohup` wants to go on.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _terminate)
    try:
        with naming_what_is_scarce():
            app()
    except PgtendError as error:
        sys.exit(_say(error))
    except Terminated as end:
        sys.exit(128 + end.number)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception:  # noqa: BLE001 - the last place that can tell a person anything
        sys.exit(_confess())
    sys.exit(0)


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise Terminated(number)


def _say(error: PgtendError) -> int:
    from pgtend.cli.screen import error_as_json, has_shown_json, show_error, show_json

    show_error(error)
    if "--json" in sys.argv and not has_shown_json():
        show_json(error_as_json(error))
    return error.exit_status


def _confess() -> int:
    """Say that this is a defect of ours; the traceback may hold anything, so it goes into a private file."""
    kind = sys.exc_info()[0]
    typer.echo(f"error: unexpected {kind.__name__ if kind else 'error'}, which is a defect of pgtend", err=True)
    try:
        handle, path = tempfile.mkstemp(prefix=f"pgtend-{utc_now():%Y%m%dT%H%M%SZ}-", suffix=".traceback")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            traceback.print_exc(file=file)
    except OSError as error:
        typer.echo(f"  The traceback could not be kept: {error.strerror}.", err=True)
    else:
        typer.echo(f"  The traceback is in {path}, for you alone; look through it before you send it.", err=True)
    return PgtendError.exit_status
