"""One look at one database: every question is asked, and one that fails is an answer too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgtend.fleet.health import HealthRules, Watched
from pgtend.health.details import DETAILED, are_due
from pgtend.health.facts import Pool, TableState
from pgtend.health.memory import Memory
from pgtend.health.model import Reading, Reason
from pgtend.health.probes import QUICK, Probe, Site
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a database gave."""

    at: datetime
    readings: tuple[Reading, ...]
    memory: Memory
    pools: tuple[Pool, ...] = ()
    tables: tuple[TableState, ...] = ()
    is_detailed: bool = False
    server: str = ""


def look_at(
    session: Session, rules: HealthRules, memory: Memory, now: datetime, *, is_on_this_machine: bool = False
) -> Look:
    """Ask everything that is due. What cannot be answered is a reading without a value, and says why."""
    site = Site(session, rules, memory, now, is_on_this_machine=is_on_this_machine)
    readings = [Reading(watched=Watched.REACHABLE, value=1), *_ask(site, QUICK)]
    quick = site.counters()
    asked_at = memory.details.at if memory.details else None
    detailed, details = memory.detail_readings, memory.details
    is_due = are_due(site, asked_at)
    if is_due:
        site.counted = {}
        detailed = tuple(_ask(site, DETAILED))
        details = site.counters()
    return Look(
        at=now,
        readings=(*readings, *detailed),
        memory=Memory(counters=quick, details=details, detail_readings=detailed, first_seen=site.first_seen),
        pools=site.pools,
        tables=site.tables,
        is_detailed=is_due,
        server=session.facts.version_text,
    )


def unreachable(memory: Memory, now: datetime, error: PgtendError) -> Look:
    """Say what is known when the database does not answer: that, and nothing else."""
    why = f"the database does not answer: {error.message}"
    silent = {watched for probe in (*QUICK, *DETAILED) for watched in probe.answers}
    return Look(
        at=now,
        readings=(
            Reading(watched=Watched.REACHABLE, value=0, about=error.code),
            *(Reading(watched=watched, gap=Reason.UNREADABLE, why=why) for watched in Watched if watched in silent),
        ),
        memory=memory,
    )


def _ask(site: Site, probes: Sequence[Probe]) -> list[Reading]:
    return [reading for probe in probes for reading in _answers(site, probe)]


def _answers(site: Site, probe: Probe) -> list[Reading]:
    """Ask one question. Without a right or in time it has no answer; without a connection there is no look at all."""
    try:
        return list(probe.ask(site))
    except PgtendError as error:
        if site.session.connection.closed or site.session.connection.broken:
            raise
        why = f"{error.message} [{error.code}]"
        return [Reading(watched=watched, gap=Reason.UNREADABLE, why=why) for watched in probe.answers]
