"""The care of indexes as tasks start it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgtend.indexes.advise import Inquiry, advise_on_indexes
from pgtend.indexes.checking import PIPELINE as CHECK
from pgtend.indexes.checking import check_indexes
from pgtend.indexes.job import Order, rebuild_bloated_indexes
from pgtend.indexes.memory import recall
from pgtend.indexes.plan import plan_rebuilds, say_decision, say_plan
from pgtend.indexes.usage import note_usage, standbys_of
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session
from pgtend_airflow.connections import AirflowConnections
from pgtend_airflow.desk import Desk
from pgtend_airflow.pipelines import INDEXES, INSISTS, OUTSIDE_WINDOW


def note_index_usage(desk: Desk) -> None:
    """Write down size and use of every index on every server."""
    note_usage(desk.database, _addresses(desk), desk.ledger, desk.subject, desk.progress)


def show_rebuild_plan(desk: Desk) -> None:
    """Say for every index what would be done and why, and refuse where rights are missing."""
    name = desk.database.name
    memory = recall(desk.ledger, name)
    with open_session(desk.address, desk.database.limits, application=f"pgtend:plan:{name}") as session:
        plan = plan_rebuilds(session, desk.database.indexes, memory, only=_only(desk), insists=_insists(desk))
    for decision in plan.decisions:
        desk.progress(say_decision(decision))
    desk.progress(say_plan(plan))
    plan.raise_if_rights_are_missing()


def rebuild_indexes(desk: Desk) -> None:
    """Rebuild what is worth it, prove it, record it."""
    order = Order(only=_only(desk), ignore_window=bool(desk.form[OUTSIDE_WINDOW]), insists=_insists(desk))
    rebuild_bloated_indexes(desk.database, _addresses(desk), desk.ledger, desk.subject, desk.progress, order=order)


def note_advice(desk: Desk) -> None:
    """Find what could be better, and keep every candidate in the ledger."""
    inquiry = Inquiry(address=desk.address)
    advise_on_indexes(desk.database, inquiry, desk.ledger, desk.subject, desk.progress)


def verify_indexes(desk: Desk) -> None:
    """Read the structure of every B-tree, and page somebody when one is damaged."""
    subject = replace(desk.subject, pipeline=CHECK)
    check_indexes(desk.database, desk.address, desk.ledger, subject, desk.progress)


def _addresses(desk: Desk) -> Mapping[str, Address]:
    book = AirflowConnections()
    others = {name: book.find(name) for name in standbys_of(desk.database)}
    return {desk.database.connection: desk.address, **others}


def _only(desk: Desk) -> tuple[str, ...]:
    asked = desk.form[INDEXES]
    return (str(asked),) if asked else ()


def _insists(desk: Desk) -> bool:
    return bool(desk.form[INSISTS]) and bool(desk.form[INDEXES])
