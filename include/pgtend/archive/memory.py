"""The archive's own ledger, in the tended database: it must change in the same transaction as the rows it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pgtend.archive.errors import HashedOtherwise, SealBroken
from pgtend.archive.facts import CREATE_MEMORY, Approval, HoldFacts, Memory
from pgtend.archive.model import ALLOWED, State, Unit
from pgtend.archive.names import Names
from pgtend.postgres.identifiers import text
from pgtend.postgres.rowhash import ALGORITHM
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The month that moved on."""

    month: date


READ_MEMORY = query(__package__ or "", "read_memory", Memory)
READ_APPROVAL = query(__package__ or "", "read_approval", Approval)
APPROVE_RULE = query(__package__ or "", "approve_rule", Approval)
READ_UNITS = query(__package__ or "", "read_units", Unit)
READ_HOLDS = query(__package__ or "", "read_holds", HoldFacts)
CHANGE_UNIT = query(__package__ or "", "change_unit", Changed)
OPEN_UNIT = command(__package__ or "", "open_unit")
REOPEN_UNIT = command(__package__ or "", "reopen_unit")
REWRITE_UNIT = command(__package__ or "", "rewrite_unit")


def is_there(session: Session) -> bool:
    """Tell whether this database has an archive at all; one whose rows were hashed otherwise is not for us."""
    found = session.row(READ_MEMORY)
    if found.is_there and found.algorithm != ALGORITHM:
        raise HashedOtherwise(
            "the ledger of this archive has checksums that this version cannot compare",
            detail=f"They are said to be '{found.algorithm}', and this version makes '{ALGORITHM}'. "
            "No month was looked at, moved or dropped.",
            hint="Use the version of pgtend that made this archive; see docs/runbooks/archive-refused.md.",
        )
    return found.is_there


def remember(session: Session) -> None:
    """Make our own tables, where they are not there yet."""
    if not is_there(session):
        session.run(CREATE_MEMORY, algorithm=text(ALGORITHM))


def approval_of(session: Session, names: Names) -> Approval | None:
    """Find who approved the rule of a table."""
    if not is_there(session):
        return None
    return next(iter(session.rows(READ_APPROVAL, _named(names))), None)


def approve(session: Session, names: Names, digest: str, by: str) -> Approval:
    """Write down who approved a rule."""
    remember(session)
    return session.row(APPROVE_RULE, {**_named(names), "rule_digest": digest, "approved_by": by})


def units_of(session: Session, names: Names) -> tuple[Unit, ...]:
    """List the months of a table, oldest first."""
    return tuple(session.rows(READ_UNITS, _named(names))) if is_there(session) else ()


def holds_of(session: Session, names: Names) -> tuple[HoldFacts, ...]:
    """List the months of a table that are held."""
    return tuple(session.rows(READ_HOLDS, _named(names))) if is_there(session) else ()


def open_unit(  # noqa: PLR0913 - which month, of what, in which form, and how far it is
    session: Session,
    source_id: int,
    names: Names,
    month: date,
    described: Sequence[str],
    *,
    state: State = State.MOVING,
    came_from: str = "",
) -> None:
    """Write down that a month takes rows from now on."""
    values = {"source_id": source_id, "month": month, "described": list(described)}
    place = {"state": state.value, "partition": names.month_name(month), "came_from": came_from}
    session.run(OPEN_UNIT, {**values, **place})


def move_on(session: Session, unit: Unit, state: State) -> None:
    """Move a month on by a way there is, and refuse when somebody else did meanwhile."""
    if state not in ALLOWED[unit.stands]:
        raise ValueError(f"a month never goes from {unit.state} to {state}")
    key: Mapping[str, object] = {"source_id": unit.source_id, "month": unit.month, "gen": unit.gen}
    if not session.rows(CHANGE_UNIT, {**key, "before": unit.state, "state": state.value}):
        raise SealBroken(
            f"month {unit.label} changed while it was worked on",
            detail=f"It was {unit.state} in generation {unit.gen}, and is not any more.",
            hint="Look at `pgtend archive status`, and see docs/runbooks/archive-seal-broken.md.",
        )


def reopen(session: Session, unit: Unit) -> None:
    """Let a month be sealed and stored anew, because it gets rows or values that the vault has not together with it."""
    session.run(REOPEN_UNIT, {"source_id": unit.source_id, "month": unit.month})


def rewrite(session: Session, unit: Unit, rows: int, checksum: str, described: Sequence[str]) -> None:
    """Write down anew what a month holds."""
    key = {"source_id": unit.source_id, "month": unit.month}
    session.run(REWRITE_UNIT, {**key, "rows": rows, "checksum": checksum, "described": list(described)})


def _named(names: Names) -> Mapping[str, object]:
    return {"schema": names.schema, "name": names.table}
