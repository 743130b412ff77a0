"""All rows of a table for its owner, from whom row-level security may hide them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress

from pgtend.backup.facts import Relation
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command

LIFT_OWN_FILTER = command(__package__ or "", "lift_own_filter")


class _Undone(Exception):
    """Ends a transaction of which nothing is to stay."""


@contextmanager
def seeing_all(session: Session, table: Relation) -> Generator[None]:
    """Lift for a moment what hides rows of a copy from the role that restored it, where that is no superuser."""
    if not table.is_filtered:
        yield
        return
    with suppress(_Undone), session.transaction():
        session.run(LIFT_OWN_FILTER, table=relation(table.schema, table.name))
        yield
        raise _Undone
