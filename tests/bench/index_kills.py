"""Rebuilds that are ended in each of their phases, by each way, on the oldest and the newest PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bed.clusters import MAJORS, new_database, tools_of
from bed.held_rebuilds import INVALID, KILLS, PHASES, Phase, Way, ended_in, rebuilt
from bed.indexing import Ward, furnish_held
from bed.ledgers import ask
from bench.figures import Section, Table, prose
from pgtend.postgres.throwaway import ThrowawayServer

SERVERS = tuple(int(major) for major in os.environ.get("MAJORS", ",".join(map(str, MAJORS))).split(","))


def measure() -> Section:
    """End a rebuild in each phase by each way, and let the next run follow."""
    rows: list[tuple[str, ...]] = []
    for major in SERVERS:
        with (
            ThrowawayServer(tools=tools_of(major), listens_on_tcp=True) as server,
            new_database(server) as live,
            tempfile.TemporaryDirectory() as folder,
        ):
            furnish_held(live)
            ward = Ward(live, Path(folder) / "ledger", live.owner)
            rows += [(f"PostgreSQL {major}, {phase.name}", *_row(ward, phase)) for phase in PHASES]
    return Section(
        title="Rebuilds that are ended",
        measured=prose("""
            A rebuild is held in one phase, an application writes and reads beside it, and it is ended: cancelled, its
            session terminated, its client killed, its server process killed so that the whole server recovers from a
            crash. Said is what was left behind; in brackets that the next run removed it and rebuilt the index.
        """),
        tables=(Table(("server, phase", *(way.__name__.replace("_", " ") for way in KILLS)), tuple(rows)),),
    )


def _row(ward: Ward, phase: Phase) -> tuple[str, ...]:
    return tuple(_round(ward, phase, way) for way in KILLS)


def _round(ward: Ward, phase: Phase, way: Way) -> str:
    ended = ended_in(ward, phase, way)
    left = " ".join(name.rpartition("_")[2] for name in ended.left) or "nothing"
    again = rebuilt(ward, phase.index)
    with ward.live.session() as session:
        stays = ask(session, INVALID)
    missed = "" if ended.stood_at == phase.name else f", ended while {ended.stood_at}"
    return f"{left} ({'rebuilt' if again == 'proved' and not stays else f'{again}, {stays}'}){missed}"
