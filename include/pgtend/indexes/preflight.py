"""Looks whether a rebuild may begin now: what it would wait for, what it would disturb, whether there is room."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.errors import NoRoom, NotNow
from pgtend.indexes.facts import READ_NODE, IndexFacts
from pgtend.indexes.model import Price
from pgtend.indexes.supervisor import READ_STANDBY
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

# Beyond this share of autovacuum_freeze_max_age a vacuum against wraparound is near, and must not wait for us.
_TOO_OLD = 0.8
# Half a percent of the disk, and never less than this, stays free whatever we do.
_RESERVE = Bytes.parse("256 MB")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What goes on around a table."""

    oldest: float
    application: str
    pid: int
    is_copied: bool
    has_prepared: bool
    is_locked: bool
    table_age: int | None
    is_being_built: bool
    lag: float
    idle_slots: int


READ_TRAFFIC = query(__package__ or "", "read_traffic", Traffic)


def look_before(
    session: Session, standbys: Sequence[Session], index: IndexFacts, price: Price | None, rules: IndexRules
) -> None:
    """Refuse to begin a rebuild that would wait, disturb, or fill the disk."""
    traffic = session.row(READ_TRAFFIC, {"table": index.table_oid})
    reasons = [*_in_the_way(traffic, rules), *_on_standbys(standbys, index, rules)]
    freeze_age = session.row(READ_NODE).freeze_age
    if traffic.table_age is not None and traffic.table_age > _TOO_OLD * freeze_age:
        reasons.append("its table is so old that a vacuum against wraparound must come first")
    if reasons:
        raise NotNow(
            f"{index.full_name} cannot be rebuilt now: {reasons[0]}",
            detail=f"All that stands in the way: {'; '.join(reasons)}.",
            hint="It is tried again by itself; see docs/runbooks/index-not-rebuilt.md.",
        )
    if price is not None:
        refuse_without_room(session, index.full_name, price.space, rules)


def refuse_without_room(session: Session, what: str, needed: int, rules: IndexRules) -> None:
    """Refuse what would exceed the disk, as far as anybody knows how large that is."""
    free = room_left(session, rules)
    if free is not None and needed > free:
        raise NoRoom(
            f"there is no room to rebuild {what}",
            detail=f"It needs about {Bytes(needed)} for a while, the WAL included; {Bytes(max(free, 0))} may be used.",
            hint="Free room, or raise indexes.storage in the fleet file; see docs/runbooks/index-not-rebuilt.md.",
        )


def room_left(session: Session, rules: IndexRules) -> int | None:
    """Tell how many bytes may still be used: by the fleet file, or by the disk of this machine; None when unknown."""
    node = session.row(READ_NODE)
    if rules.storage is not None:
        return rules.storage - node.server_size
    if not (session.address.is_local_socket and node.folder and Path(node.folder).is_dir()):
        return None
    disk = os.statvfs(node.folder)
    whole = disk.f_blocks * disk.f_frsize
    return disk.f_bavail * disk.f_frsize - max(_RESERVE, whole // 200)


def _in_the_way(traffic: Traffic, rules: IndexRules) -> list[str]:
    said: list[str] = []
    if traffic.oldest > rules.oldest_transaction.total_seconds():
        who = f"session {traffic.pid} ({traffic.application or 'without a name'})"
        said.append(f"{who} has a transaction open for {say_span(timedelta(seconds=traffic.oldest))}")
    if traffic.is_copied:
        said.append("a base backup is being taken")
    if traffic.has_prepared:
        said.append("a prepared transaction waits for its second half")
    if traffic.is_locked:
        said.append("its table is locked by somebody who changes or vacuums it")
    if traffic.is_being_built:
        said.append("another index of its table is being built")
    if traffic.lag > rules.replica_lag.total_seconds():
        said.append(f"a standby is {say_span(timedelta(seconds=traffic.lag))} behind")
    if traffic.idle_slots:
        said.append("a replication slot nobody reads keeps all WAL")
    return said


def _on_standbys(standbys: Sequence[Session], index: IndexFacts, rules: IndexRules) -> list[str]:
    said: list[str] = []
    for standby in standbys:
        state = standby.row(READ_STANDBY, {"table": index.table_oid})
        if not state.is_standby:
            continue
        if state.lag > rules.replica_lag.total_seconds():
            said.append(f"the standby at {standby.address.place} is {say_span(timedelta(seconds=state.lag))} behind")
        if state.is_read:
            said.append(f"a long query on the standby at {standby.address.place} reads its table, and would be ended")
    return said
