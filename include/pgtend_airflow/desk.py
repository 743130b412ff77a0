"""What a task finds on its desk: the rules of its database, the way in, the ledger, a form, and a way to show progress.

Imported inside tasks only: it brings psycopg along, and a DAG file must not.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from airflow.sdk import DAG, get_current_context
from airflow.sdk.types import DagRunProtocol as DagRun
from airflow.sdk.types import RuntimeTaskInstanceProtocol

from pgtend.fleet.load import bad_fleet_file, fleet_path
from pgtend.fleet.model import Database, Fleet
from pgtend.kernel.errors import Misconfigured, Refusal
from pgtend.kernel.names import suggestion
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger, Subject
from pgtend.ledger.open import open_ledger
from pgtend.postgres.address import Address
from pgtend_airflow.cancellation import cancellable
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.links import run_link
from pgtend_airflow.pipelines import the_fleet

_OF_AIRFLOW = "airflow/"
_LOG = logging.getLogger("pgtend")


class NoSuchDatabaseHere(Misconfigured):
    """The fleet file no longer has the database that this task is for."""

    code = "airflow.no_such_database"


class NoSuchField(Refusal):
    """A run was started with a value that its pipeline has no field for."""

    code = "airflow.no_such_field"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDesk:
    """For a task of the whole fleet."""

    fleet: Fleet
    ledger: Ledger
    subject: Subject
    progress: Progress
    connections: AirflowConnections


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """For a task of one database."""

    database: Database
    address: Address
    ledger: Ledger
    subject: Subject
    progress: Progress
    form: Mapping[str, object]


@contextmanager
def tending(name: str, pipeline: str) -> Generator[Desk]:
    """Lay everything out for a task of one database; whatever ends the task ends its queries too."""
    with cancellable():
        form = _form()
        fleet = usable_fleet()
        database = _find(fleet, name)
        book = AirflowConnections()
        address = book.find(database.connection)
        with open_ledger(fleet, book, application=f"pgtend:{pipeline}:{name}") as ledger:
            yield Desk(
                database=database,
                address=address,
                ledger=ledger,
                subject=Subject(name, pipeline, started_by(), link_of_run()),
                progress=_LOG.info,
                form=form,
            )


@contextmanager
def tending_fleet(pipeline: str) -> Generator[FleetDesk]:
    """Lay everything out for a task of the whole fleet."""
    with cancellable():
        fleet, book = usable_fleet(), AirflowConnections()
        with open_ledger(fleet, book, application=f"pgtend:{pipeline}:fleet") as ledger:
            yield FleetDesk(
                fleet=fleet,
                ledger=ledger,
                subject=Subject("fleet", pipeline, started_by(), link_of_run()),
                progress=_LOG.info,
                connections=book,
            )


def usable_fleet() -> Fleet:
    """Read what is sound of the fleet file, or say everything that is wrong with it."""
    reading = the_fleet()
    if reading.fleet is None:
        raise bad_fleet_file(fleet_path(), reading.problems)
    return reading.fleet


def started_by() -> str:
    """Name who started the run: a person's login, or the kind of run."""
    run = _run()
    return f"airflow:{run.triggering_user_name or run.run_type}"


def moment_of_run() -> datetime:
    """Tell for when the run was meant, which stays the same however often it is tried."""
    return _run().run_after


def leave_in_airflow(key: str, value: str) -> None:
    """Leave a name beside the task, for a button of it; also a task that fails keeps what it left."""
    cast("RuntimeTaskInstanceProtocol", _context()["ti"]).xcom_push(key=key, value=value)


def link_of_run() -> str:
    """Link to the run that this task belongs to."""
    run = _run()
    return run_link(run.dag_id, run.run_id)


def _context() -> Mapping[str, object]:
    return cast("Mapping[str, object]", get_current_context())


def _form() -> Mapping[str, object]:
    """Give the form; Airflow passes on what is no field of it, and a misspelled wish to only look would be no wish."""
    given = _run().conf or {}
    fields = list(cast("DAG", _context()["dag"]).params) if given else []
    strange = sorted(key for key in given if key not in fields and not key.startswith(_OF_AIRFLOW))
    if strange:
        raise NoSuchField(
            f"the form of this pipeline has no field '{strange[0]}'",
            detail=f"{suggestion(strange[0], fields)} Nothing was done.".strip(),
            hint=f"Start it again; its fields: {', '.join(fields) or 'none'}.",
        )
    return cast("Mapping[str, object]", _context()["params"])


def _run() -> DagRun:
    return cast("DagRun", _context()["dag_run"])


def _find(fleet: Fleet, name: str) -> Database:
    if name in fleet.databases:
        return fleet.databases[name]
    raise NoSuchDatabaseHere(
        f"the fleet file has no usable database '{name}'",
        detail=suggestion(name, fleet.databases),
        hint="Look at the import error of dags/fleet_file.py: it says what is wrong with the file.",
    )
