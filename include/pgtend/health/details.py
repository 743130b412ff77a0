"""The detailed questions: about what changes slowly and costs more to ask, so they are asked once an hour."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pgtend.fleet.health import Watched
from pgtend.health.facts import (
    READ_CHECKPOINTER,
    READ_CHECKPOINTS,
    READ_INDEX_BLOCKS,
    READ_INVALID_INDEXES,
    READ_PARTITIONS,
    READ_SEQUENCES,
    READ_SETTINGS,
    READ_SIZES,
    READ_TABLES,
    Sizes,
)
from pgtend.health.memory import Counters, Grown
from pgtend.health.model import Reading, Reason
from pgtend.health.probes import Probe, Readings, Site, hit_ratio
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes

_CHECKPOINTS_TO_JUDGE: Final = 10
_COUNTED_APART_SINCE: Final = 17
_BEHIND: Final = 1.0


@dataclass(frozen=True, slots=True)
class Disk:
    """How large a disk is, and how much of it is taken."""

    size: int
    used: int


def ask_sizes(site: Site) -> Readings:
    """Ask what lies on the disk, and how large the disk is where anybody can know it."""
    found = site.session.row(READ_SIZES)
    yield Reading(watched=Watched.DATABASE_SIZE, value=found.database)
    disk = disk_of(found, site.rules.disk, is_on_this_machine=site.is_on_this_machine)
    if disk is None:
        why = "SQL cannot see the disk: say its size as health.disk in the fleet file"
        yield Reading(watched=Watched.DISK_USED, gap=Reason.ABSENT, why=why)
    else:
        about = f"{Bytes(disk.used)} of {Bytes(disk.size)}"
        yield Reading(watched=Watched.DISK_USED, value=100 * disk.used / max(disk.size, 1), about=about)


def disk_of(sizes: Sizes, told: Bytes | None, *, is_on_this_machine: bool) -> Disk | None:
    """Take the size of the disk from the fleet file, or else from the machine when the server is on it."""
    if told is not None:
        return Disk(int(told), sizes.databases + sizes.wal)
    path = Path(sizes.data_directory) if sizes.data_directory else None
    if not is_on_this_machine or path is None:
        return None
    try:
        disk = os.statvfs(path)
    except OSError:
        # The folder is not ours to look into, or the socket belongs to a server in a container.
        return None
    total = disk.f_blocks * disk.f_frsize
    return Disk(total, total - disk.f_bavail * disk.f_frsize)


def ask_tables(site: Site) -> Readings:
    """Ask which tables VACUUM and ANALYZE are behind with."""
    site.tables = tuple(site.session.rows(READ_TABLES))
    dead = max(site.tables, key=lambda table: table.dead_ratio, default=None)
    stale = max(site.tables, key=lambda table: table.stale_ratio, default=None)
    if dead is None or stale is None:
        yield Reading(watched=Watched.DEAD_ROWS, value=0)
        yield Reading(watched=Watched.STALE_STATISTICS, value=0)
        return
    about = f"{dead.name}: {counted(dead.dead, 'dead row')}" if dead.dead_ratio >= _BEHIND else ""
    yield Reading(watched=Watched.DEAD_ROWS, value=dead.dead_ratio, about=about)
    about = f"{stale.name}: {stale.modified:,} rows changed" if stale.stale_ratio >= _BEHIND else ""
    yield Reading(watched=Watched.STALE_STATISTICS, value=stale.stale_ratio, about=about)


def ask_indexes(site: Site) -> Readings:
    """Ask for indexes that are not in the cache, and for invalid ones."""
    blocks = site.session.row(READ_INDEX_BLOCKS)
    site.counted |= {"index hit": blocks.hit, "index read": blocks.read}
    grown = _grown(site)
    if grown.has_shrunk("index hit") or grown.has_shrunk("index read"):
        yield Reading(watched=Watched.INDEX_HIT, gap=Reason.GONE, why="an index was dropped")
    else:
        yield hit_ratio(Watched.INDEX_HIT, grown.by("index hit"), grown.by("index read"))
    found = site.session.row(READ_INVALID_INDEXES)
    yield Reading(watched=Watched.INVALID_INDEXES, value=found.amount, about=found.first)


def ask_sequences(site: Site) -> Readings:
    """Ask how near sequences are to their end; one that may not be read could be the nearest."""
    found = site.session.row(READ_SEQUENCES)
    if found.hidden:
        why = (
            f"{found.hidden} of {found.amount} sequences may not be read: the role needs USAGE on them, "
            "or membership in pg_read_all_data from 14 on"
        )
        yield Reading(watched=Watched.SEQUENCE_USED, gap=Reason.UNREADABLE, why=why)
    else:
        yield Reading(watched=Watched.SEQUENCE_USED, value=found.percent or 0.0, about=found.name)


def ask_partitions(site: Site) -> Readings:
    """Ask for how long there are partitions for new rows."""
    found = site.session.row(READ_PARTITIONS)
    if found.seconds is None:
        why = "no table that is in use is partitioned by time"
        yield Reading(watched=Watched.PARTITIONS_AHEAD, gap=Reason.ABSENT, why=why)
    else:
        yield Reading(watched=Watched.PARTITIONS_AHEAD, value=found.seconds, about=found.name)


def ask_settings(site: Site) -> Readings:
    """Ask for settings that wait for a restart, and for unsafe ones."""
    found = site.session.row(READ_SETTINGS)
    yield Reading(watched=Watched.RESTART_PENDING, value=found.pending, about=found.pending_names)
    yield Reading(watched=Watched.UNSAFE_SETTINGS, value=found.unsafe, about=found.unsafe_names)


def ask_checkpoints(site: Site) -> Readings:
    """Ask how many checkpoints came because WAL filled up."""
    is_apart = site.session.facts.major >= _COUNTED_APART_SINCE
    found = site.session.row(READ_CHECKPOINTER if is_apart else READ_CHECKPOINTS)
    site.counted |= {"timed": found.timed or 0, "forced": found.forced or 0}
    grown = _grown(site)
    timed, forced = grown.by("timed"), grown.by("forced")
    if timed is None or forced is None:
        yield Reading(watched=Watched.CHECKPOINTS_FORCED, gap=Reason.FIRST_LOOK)
    elif timed + forced < _CHECKPOINTS_TO_JUDGE:
        why = f"{timed + forced} checkpoints"
        yield Reading(watched=Watched.CHECKPOINTS_FORCED, gap=Reason.QUIET, why=why)
    else:
        yield Reading(watched=Watched.CHECKPOINTS_FORCED, value=100 * forced / (timed + forced))


def are_due(site: Site, asked_at: datetime | None) -> bool:
    """Tell whether the detailed questions are to be asked again; a schedule is a few seconds early or late."""
    # What had nothing to compare with would otherwise stay unknown for an hour.
    if any(reading.gap in {Reason.FIRST_LOOK, Reason.GONE} for reading in site.memory.detail_readings):
        return True
    return asked_at is None or site.now - asked_at >= site.rules.details_every * 0.95


def _grown(site: Site) -> Grown:
    return Grown(site.memory.details, Counters(at=site.now, epoch=site.epoch, values=site.counted))


DETAILED: Final = (
    Probe(ask_sizes, (Watched.DATABASE_SIZE, Watched.DISK_USED)),
    Probe(ask_tables, (Watched.DEAD_ROWS, Watched.STALE_STATISTICS)),
    Probe(ask_indexes, (Watched.INDEX_HIT, Watched.INVALID_INDEXES)),
    Probe(ask_sequences, (Watched.SEQUENCE_USED,)),
    Probe(ask_partitions, (Watched.PARTITIONS_AHEAD,)),
    Probe(ask_settings, (Watched.RESTART_PENDING, Watched.UNSAFE_SETTINGS)),
    Probe(ask_checkpoints, (Watched.CHECKPOINTS_FORCED,)),
)
