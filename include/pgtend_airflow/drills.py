"""A drill as a task does it: what was asked for in the form, with a private key that this task alone has.

Imported inside tasks only: it brings psycopg along, and a DAG file must not.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pgtend.drill.issuing import issuer
from pgtend.drill.job import DrillOrder, DrillSite, drill_backup
from pgtend.drill.lending import index_work
from pgtend.drill.model import AT_TIMES, DrillOutcome, Rule
from pgtend.drill.stages import Stage
from pgtend.drill.telling import say_outcome
from pgtend.fleet.model import AlertSettings, Environment, Fleet
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import suggestion
from pgtend.kernel.progress import Progress
from pgtend.vault.agekeys import PrivateKeys, read_key_file
from pgtend.vault.model import Vault
from pgtend.vault.open import open_vault
from pgtend_airflow.alerts.channels import deliver
from pgtend_airflow.alerts.message import Message
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk, leave_in_airflow, usable_fleet
from pgtend_airflow.links import RECEIPT
from pgtend_airflow.pipelines import DRILLED, KEEP_HOURS, NOTIFY, RULE, THOROUGH
from pgtend_airflow.restoring import KEY_VARIABLE

_DUE = "due"
_STAGES = {stage.value for stage in Stage}


class NoSuchChannel(Misconfigured):
    """The form names an alert channel that the fleet file does not have."""

    code = "airflow.no_such_channel"


def drill_one(desk: Desk) -> str:
    """Drill a backup of the database on the desk; give the id of the run, which is that of its receipt."""
    fleet = usable_fleet()
    told = _channel(fleet, desk.form[NOTIFY])
    progress = in_groups(desk.progress)
    site = DrillSite(
        fleet=fleet,
        database=desk.database,
        vaults=_vault,
        keys=_keys(desk),
        # A developer's worker may make its own signing key; anywhere else a key that nobody trusts proves nothing.
        on_copy=index_work(desk.database, _vault, desk.ledger, desk.subject, progress),
        issue=issuer(fleet, _vault, desk.ledger, progress, may_make_key=fleet.environment is Environment.DEVELOPMENT),
        on_outcome=(_leave_receipt, *((lambda outcome: _tell(told, fleet, outcome),) if told else ())),
    )
    return drill_backup(site, _order(desk), desk.ledger, desk.subject, progress).run_id


def in_groups(progress: Progress) -> Progress:
    """Fold the lines of each stage into a group of the task log, which opens with the stage and ends with its time."""

    def told(line: str) -> None:
        name, _, rest = line.partition(": ")
        if line.endswith(" ...") and line.removesuffix(" ...") in _STAGES:
            progress(f"::group::{line.removesuffix(' ...')}")
        elif name in _STAGES and rest:
            progress(line)
            progress("::endgroup::")
        else:
            progress(line)

    return told


def _order(desk: Desk) -> DrillOrder:
    backup, rule = desk.form[DRILLED], str(desk.form[RULE])
    return DrillOrder(
        rule=Rule.CHOSEN if backup else None if rule == _DUE else Rule(rule),
        backup=str(backup or ""),
        extras=AT_TIMES if desk.form[THOROUGH] else None,
        keep=timedelta(hours=int(str(desk.form[KEEP_HOURS]))),
    )


def _keys(desk: Desk) -> PrivateKeys | None:
    """Take the private keys from a connection, or from a file that was put on the worker; nobody else has them."""
    connection = desk.database.drill.key_connection
    if connection:
        return AirflowConnections().private_keys(connection)
    path = os.environ.get(KEY_VARIABLE)
    return read_key_file(Path(path)) if path else None


def _channel(fleet: Fleet, name: object) -> AlertSettings | None:
    """Find the channel that is told what came of it, before anything is done."""
    if not name:
        return None
    channels = fleet.alerts.channels
    if name not in channels:
        raise NoSuchChannel(f"the fleet file has no alert channel '{name}'", hint=suggestion(str(name), channels))
    return fleet.alerts.model_copy(update={"channels": {str(name): channels[str(name)]}})


def _leave_receipt(outcome: DrillOutcome) -> None:
    """Name the receipt beside the task before a failure ends it: a receipt of a failed drill is read most."""
    leave_in_airflow(RECEIPT, outcome.run_id)


def _tell(channel: AlertSettings, fleet: Fleet, outcome: DrillOutcome) -> None:
    said = say_outcome(outcome)
    title = f"[{fleet.fleet} {fleet.environment}] {outcome.database}.restore_drill: {outcome.verdict.value}"
    text = f"{said}.\n{outcome.run_url}\n"
    deliver(
        channel, Message(title=title, text=text, html=f"<p>{said}.</p>", chat=text, is_good_news=not outcome.failure)
    )


@contextmanager
def _vault(name: str) -> Generator[Vault]:
    connections = AirflowConnections()
    settings = connections.completed(usable_fleet().vaults[name])
    with open_vault(settings, connections.aws_session) as vault:
        yield vault
