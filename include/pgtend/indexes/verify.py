"""Looks at an index after its rebuild: is it the same index, only smaller, and does its structure hold."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pgtend.indexes.errors import IndexDamaged, NotRebuilt
from pgtend.indexes.estimate import FIND_EXTENSION
from pgtend.indexes.leftovers import TableIndex
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.postgres.errors import MissingRight, ServerFault
from pgtend.postgres.identifiers import column
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

_AMCHECK = "amcheck"


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether an index is still there."""

    is_there: bool


FIND_INDEX = query(__package__ or "", "find_index", Presence)
CHECK_INDEX = command(__package__ or "", "check_index")
CHECK_COPIED_INDEX = command(__package__ or "", "check_copied_index")


def live_index(indexes: Mapping[int, TableIndex], name: str) -> TableIndex | None:
    """Find the index that has a name now."""
    return next((index for index in indexes.values() if index.name == name), None)


def differences(before: TableIndex, after: TableIndex | None) -> tuple[str, ...]:
    """Name what a rebuild must preserve and did not."""
    if after is None:
        return ("there is no index of this name any more",)
    pairs = (
        (after.is_valid, True, "it is not valid"),
        (after.definition, before.definition, "its definition is another one"),
        (after.constraint_name, before.constraint_name, "its constraint is no longer attached"),
        (after.is_replica_identity, before.is_replica_identity, "it is no longer the replica identity"),
        (after.is_clustered, before.is_clustered, "the table is no longer clustered on it"),
        (after.comment, before.comment, "its comment is gone"),
    )
    return tuple(said for now, then, said in pairs if now != then)


def prove_same(before: TableIndex, after: TableIndex | None) -> TableIndex:
    """Give the index as it is after a rebuild, or say what is not as it was."""
    found = differences(before, after)
    if found or after is None:
        raise NotRebuilt(
            f"{before.full_name} is not what it was before its rebuild",
            detail=f"What differs: {'; '.join(found)}.",
            hint="Follow docs/runbooks/index-damaged.md.",
        )
    return after


class Depth(StrEnum):
    """How thoroughly an index is looked at. Kept and shown as written."""

    STRUCTURE = "structure"
    EVERY_ROW = "structure and every row of the table"
    ON_COPY = "structure and every row of a restored copy"


def check_structure(session: Session, name: str, oid: int, depth: Depth = Depth.STRUCTURE) -> timedelta | None:
    """Let amcheck read a B-tree; None when it is not installed, we may not use it, or the index is gone meanwhile.

    On production nothing is used that keeps writers away. Besides, before its releases of 2026 the most thorough check
    of PostgreSQL reported damage in sound indexes that were built concurrently, as a rebuild builds them.
    """
    if _AMCHECK not in session.facts.extensions:
        return None
    schema = column(session.row(FIND_EXTENSION, {"extension": _AMCHECK}).schema)
    began = time.monotonic()
    try:
        if depth is Depth.ON_COPY:
            session.run(CHECK_COPIED_INDEX, {"index": oid}, schema=schema)
        else:
            session.run(CHECK_INDEX, {"index": oid, "heap": depth is Depth.EVERY_ROW}, schema=schema)
    except MissingRight:
        return None
    except Outage:
        raise
    except PgtendError as error:
        if not session.row(FIND_INDEX, {"index": oid}).is_there:
            return None
        if isinstance(error, ServerFault):
            raise damaged(name, error) from error
        raise
    return timedelta(seconds=time.monotonic() - began)


def damaged(name: str, error: PgtendError) -> IndexDamaged:
    """Say that an index does not fit its table."""
    return IndexDamaged(
        f"{name} is damaged: {error.message}",
        detail="Queries that use it may miss rows or give wrong ones.",
        hint="Follow docs/runbooks/index-damaged.md before anything else is done to this table.",
    )
