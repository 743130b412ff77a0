"""The quick questions: asked at every look, each answers some metrics or says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from pgtend.fleet.health import HealthRules, Watched
from pgtend.health.facts import (
    READ_ACTIVITY,
    READ_ARCHIVE_BACKLOG,
    READ_ARCHIVER,
    READ_COUNTERS,
    READ_HORIZON,
    READ_LOCKS,
    READ_POOLS,
    READ_PREPARED,
    READ_REPLAY,
    READ_REPLICAS,
    READ_SLOTS,
    Activity,
    Pool,
    Slot,
    TableState,
)
from pgtend.health.memory import Counters, Grown, Memory
from pgtend.health.model import Reading, Reason
from pgtend.postgres.session import Session

Readings: TypeAlias = Iterator[Reading]
_XIDS: Final = 2**31
_BLOCKS_TO_JUDGE: Final = 5_000
_TRANSACTIONS_TO_JUDGE: Final = 100
_SEVERAL: Final = 5
_MOST: Final = 0.8
_A_DAY: Final = 86_400.0
_STANDBY: Final = "standby "
# Workers that copy a table for a subscription come and go.
_PASSING: Final = "_sync_"
_NO_MONITOR: Final = "the role may not see the sessions of others: GRANT pg_monitor TO it"
_LOSING: Final[Mapping[str, int]] = {"unreserved": 1, "lost": 2}


@dataclass(slots=True)
class Site:
    """One database during one look: the way in, the rules, what is remembered, and what is learned on the way."""

    session: Session
    rules: HealthRules
    memory: Memory
    now: datetime
    is_on_this_machine: bool = False
    counted: dict[str, int] = field(default_factory=dict[str, int])
    epoch: str = ""
    first_seen: dict[str, datetime] = field(default_factory=dict[str, datetime])
    pools: tuple[Pool, ...] = ()
    tables: tuple[TableState, ...] = ()

    def grown(self) -> Grown:
        """Compare the quick counters with those of the last look."""
        return Grown(self.memory.counters, self.counters())

    def counters(self) -> Counters:
        """Give what was counted up to now."""
        return Counters(at=self.now, epoch=self.epoch, values=self.counted)

    def since(self, what: str) -> float:
        """Tell for how many seconds something has been going on, as far as we have seen it."""
        began = self.memory.first_seen.get(what, self.now)
        self.first_seen[what] = began
        return (self.now - began).total_seconds()


@dataclass(frozen=True, slots=True)
class Probe:
    """One question, and the metrics that it answers."""

    ask: Callable[[Site], Readings]
    answers: tuple[Watched, ...]


def ask_activity(site: Site) -> Readings:
    """Ask what sessions do."""
    found = site.session.row(READ_ACTIVITY)
    if found.hidden:
        for watched in ACTIVITY.answers:
            yield Reading(watched=watched, gap=Reason.UNREADABLE, why=_NO_MONITOR)
        return
    used = f"{found.sessions} of {found.places}"
    yield Reading(watched=Watched.CONNECTIONS_USED, value=100 * found.sessions / max(found.places, 1), about=used)
    yield Reading(watched=Watched.SESSIONS, value=found.sessions_here)
    yield Reading(watched=Watched.SESSIONS_ACTIVE, value=found.active)
    yield Reading(watched=Watched.SESSIONS_IDLE, value=found.idle)
    yield _longest(Watched.IDLE_IN_TRANSACTION, found.idle_in_transaction, found.idle_in_transaction_who)
    yield _longest(Watched.LONGEST_QUERY, found.longest_query, found.longest_query_who)
    yield _longest(Watched.LONGEST_TRANSACTION, found.longest_transaction, found.longest_transaction_who)
    site.pools = tuple(site.session.rows(READ_POOLS, {"idle": site.rules.idle_session}))
    yield leaked(site.pools, found)


def leaked(pools: Sequence[Pool], activity: Activity) -> Reading:
    """Find the application that holds the most sessions it has not used for long, and uses hardly any of."""
    suspects = [
        pool for pool in pools if pool.idle_long >= _SEVERAL and pool.idle_long >= _MOST * (pool.sessions - pool.active)
    ]
    worst = max(suspects, key=lambda pool: pool.idle_long, default=None)
    if worst is None:
        return Reading(watched=Watched.SESSIONS_LEAKED, value=0)
    about = f"{worst.application}: {worst.idle_long} of {worst.sessions} unused"
    return Reading(watched=Watched.SESSIONS_LEAKED, value=100 * worst.idle_long / max(activity.places, 1), about=about)


def ask_locks(site: Site) -> Readings:
    """Ask who waits for locks."""
    found = site.session.row(READ_LOCKS)
    blockers = f" behind {found.blockers}" if found.blockers else ""
    yield _longest(Watched.LOCK_WAIT, found.waited, f"{found.who}{blockers}")
    yield Reading(watched=Watched.LOCK_QUEUE, value=found.waiting)


def ask_counters(site: Site) -> Readings:
    """Ask what the server counted, and compare it with the last look."""
    found, facts = site.session.row(READ_COUNTERS), site.session.facts
    site.epoch = f"{facts.system_identifier} {facts.started_at.isoformat()} {found.counted_since}"
    site.counted |= {
        "hit": found.blks_hit,
        "read": found.blks_read,
        "commit": found.xact_commit,
        "rollback": found.xact_rollback,
        "deadlocks": found.deadlocks,
        "temporary": found.temp_bytes,
    }
    grown = site.grown()
    yield hit_ratio(Watched.CACHE_HIT, grown.by("hit"), grown.by("read"))
    yield from _transactions(grown)
    yield _grown(Watched.DEADLOCKS, grown.by("deadlocks"))
    yield _grown(Watched.TEMPORARY_FILES, grown.by("temporary"))
    if found.has_checksums:
        yield Reading(watched=Watched.CHECKSUM_FAILURES, value=found.checksum_failures or 0)
    else:
        why = "data checksums are off, so damage on the disk goes unnoticed: pg_checksums switches them on"
        yield Reading(watched=Watched.CHECKSUM_FAILURES, gap=Reason.ABSENT, why=why)
    yield Reading(watched=Watched.TRANSACTION_AGE, value=100 * found.transaction_age / _XIDS)
    yield Reading(watched=Watched.MULTIXACT_AGE, value=100 * found.multixact_age / _XIDS)
    yield Reading(watched=Watched.FREEZE_LAG, value=100 * found.transaction_age / max(found.freeze_max_age, 1))


def _transactions(grown: Grown) -> Readings:
    committed, rolled_back, seconds = grown.by("commit"), grown.by("rollback"), grown.seconds
    if committed is None or rolled_back is None or seconds is None:
        yield Reading(watched=Watched.TRANSACTIONS, gap=Reason.FIRST_LOOK)
        yield Reading(watched=Watched.ROLLBACKS, gap=Reason.FIRST_LOOK)
        return
    total = committed + rolled_back
    yield Reading(watched=Watched.TRANSACTIONS, value=total / seconds)
    if total < _TRANSACTIONS_TO_JUDGE:
        yield Reading(watched=Watched.ROLLBACKS, gap=Reason.QUIET, why=f"{total} transactions")
    else:
        yield Reading(watched=Watched.ROLLBACKS, value=100 * rolled_back / total)


def hit_ratio(watched: Watched, hit: int | None, read: int | None) -> Reading:
    """Make a ratio of what was found in the cache; too few blocks say nothing."""
    if hit is None or read is None:
        return Reading(watched=watched, gap=Reason.FIRST_LOOK)
    if hit + read < _BLOCKS_TO_JUDGE:
        return Reading(watched=watched, gap=Reason.QUIET, why=f"{hit + read:,} blocks")
    return Reading(watched=watched, value=100 * hit / (hit + read))


def ask_horizon(site: Site) -> Readings:
    """Ask who keeps dead rows from being removed."""
    found = site.session.row(READ_HORIZON)
    if found.is_hidden:
        yield Reading(watched=Watched.HELD_BACK, gap=Reason.UNREADABLE, why=_NO_MONITOR)
    elif found.behind is None:
        yield Reading(watched=Watched.HELD_BACK, value=0)
    else:
        yield Reading(watched=Watched.HELD_BACK, value=found.behind, about=f"{found.kind} {found.holder}")


def ask_prepared(site: Site) -> Readings:
    """Ask for prepared transactions."""
    found = site.session.row(READ_PREPARED)
    about = f"{found.amount}, the oldest owned by {found.owner}" if found.amount else ""
    yield _longest(Watched.PREPARED_TRANSACTION, found.oldest, about)


def ask_replicas(site: Site) -> Readings:
    """Ask how far standbys are behind; one that left without a word is behind by nobody knows how much."""
    known = {what.removeprefix(_STANDBY) for what in site.memory.first_seen if what.startswith(_STANDBY)}
    for name in known:
        site.since(f"{_STANDBY}{name}")
    found = site.session.rows(READ_REPLICAS)
    if any(replica.is_hidden for replica in found):
        for watched in REPLICAS.answers:
            yield Reading(watched=watched, gap=Reason.UNREADABLE, why=_NO_MONITOR)
        return
    gone = _gone(site, known, {replica.name for replica in found})
    if gone or not found:
        why = f"{', '.join(gone)} was connected and no longer is" if gone else "no standby is connected"
        for watched in REPLICAS.answers:
            yield Reading(watched=watched, gap=Reason.UNREADABLE if gone else Reason.ABSENT, why=why)
        return
    behind = max(found, key=lambda replica: replica.behind or 0)
    late = max(found, key=lambda replica: replica.lag or 0)
    yield Reading(watched=Watched.REPLICATION_LAG, value=behind.behind or 0, about=behind.name)
    yield Reading(watched=Watched.REPLICATION_DELAY, value=late.lag or 0, about=late.name)


def _gone(site: Site, known: set[str], connected: set[str]) -> list[str]:
    """Name the standbys that left. After a day one was taken away on purpose, and people were told."""
    for name in connected:
        if _PASSING not in name:
            site.since(f"{_STANDBY}{name}")
    missing = {name: site.since(f"gone {name}") for name in sorted(known - connected)}
    for name, seconds in missing.items():
        if seconds >= _A_DAY:
            del site.first_seen[f"{_STANDBY}{name}"], site.first_seen[f"gone {name}"]
    return [name for name, seconds in missing.items() if seconds < _A_DAY]


def ask_replay(site: Site) -> Readings:
    """Ask a standby how late it is."""
    found = site.session.row(READ_REPLAY)
    if not found.is_standby:
        yield Reading(watched=Watched.REPLAY_DELAY, gap=Reason.ABSENT, why="this server is no standby")
    elif found.delay is None:
        yield Reading(watched=Watched.REPLAY_DELAY, gap=Reason.UNREADABLE, why="it has replayed no transaction yet")
    else:
        yield Reading(watched=Watched.REPLAY_DELAY, value=found.delay)


def ask_slots(site: Site) -> Readings:
    """Ask what replication slots keep, and for whom."""
    found = site.session.rows(READ_SLOTS)
    if not found:
        for watched in SLOTS.answers:
            yield Reading(watched=watched, gap=Reason.ABSENT, why="there is no replication slot")
        return
    kept = max(found, key=lambda slot: slot.retained or 0)
    yield Reading(watched=Watched.SLOT_RETAINED, value=kept.retained or 0, about=kept.name)
    idle = max(((_unread(site, slot), slot.name) for slot in found), key=lambda pair: pair[0])
    yield Reading(watched=Watched.SLOT_INACTIVE, value=idle[0], about=idle[1] if idle[0] else "")
    losing = max(found, key=lambda slot: _LOSING.get(slot.wal_status, 0))
    state = _LOSING.get(losing.wal_status, 0)
    yield Reading(watched=Watched.SLOT_LOST, value=state, about=losing.name if state else "")


def _unread(site: Site, slot: Slot) -> float:
    """Tell how long nobody has read a slot: the server knows from 17 on, before that we go by what we saw."""
    if slot.is_active:
        return 0.0
    return max(slot.inactive or 0.0, site.since(f"slot {slot.name}"))


def ask_archiver(site: Site) -> Readings:
    """Ask whether WAL reaches its archive."""
    found = site.session.row(READ_ARCHIVER)
    if not found.is_on:
        for watched in ARCHIVER.answers:
            yield Reading(watched=watched, gap=Reason.ABSENT, why="archive_mode is off")
        return
    failing = min(site.since("archive failing"), found.since_success or 0.0) if found.is_failing else 0.0
    # A failure that is seen for the first time has lasted for some moment, which is more than none.
    yield Reading(watched=Watched.ARCHIVE_FAILING, value=max(failing, 1.0) if found.is_failing else 0.0)
    yield Reading(watched=Watched.ARCHIVE_BACKLOG, value=site.session.row(READ_ARCHIVE_BACKLOG).ready)


def _longest(watched: Watched, seconds: float | None, who: str) -> Reading:
    return Reading(watched=watched, value=max(seconds or 0.0, 0.0), about=who if seconds else "")


def _grown(watched: Watched, amount: int | None) -> Reading:
    return Reading(watched=watched, value=amount, gap=None if amount is not None else Reason.FIRST_LOOK)


ACTIVITY: Final = Probe(
    ask_activity,
    (
        Watched.CONNECTIONS_USED,
        Watched.SESSIONS,
        Watched.SESSIONS_ACTIVE,
        Watched.SESSIONS_IDLE,
        Watched.SESSIONS_LEAKED,
        Watched.IDLE_IN_TRANSACTION,
        Watched.LONGEST_QUERY,
        Watched.LONGEST_TRANSACTION,
    ),
)
REPLICAS: Final = Probe(ask_replicas, (Watched.REPLICATION_LAG, Watched.REPLICATION_DELAY))
SLOTS: Final = Probe(ask_slots, (Watched.SLOT_RETAINED, Watched.SLOT_INACTIVE, Watched.SLOT_LOST))
ARCHIVER: Final = Probe(ask_archiver, (Watched.ARCHIVE_FAILING, Watched.ARCHIVE_BACKLOG))
QUICK: Final = (
    ACTIVITY,
    Probe(ask_locks, (Watched.LOCK_WAIT, Watched.LOCK_QUEUE)),
    Probe(
        ask_counters,
        (
            Watched.CACHE_HIT,
            Watched.TRANSACTIONS,
            Watched.ROLLBACKS,
            Watched.DEADLOCKS,
            Watched.TEMPORARY_FILES,
            Watched.CHECKSUM_FAILURES,
            Watched.TRANSACTION_AGE,
            Watched.MULTIXACT_AGE,
            Watched.FREEZE_LAG,
        ),
    ),
    Probe(ask_horizon, (Watched.HELD_BACK,)),
    Probe(ask_prepared, (Watched.PREPARED_TRANSACTION,)),
    REPLICAS,
    Probe(ask_replay, (Watched.REPLAY_DELAY,)),
    SLOTS,
    ARCHIVER,
)
