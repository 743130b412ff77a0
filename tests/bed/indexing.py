"""Indexes for tests: facts made by hand, tables that were churned, and jobs run against real servers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg import sql

from bed.clusters import LiveDatabase, drop_database, new_database, statement
from pgtend.fleet.model import Database
from pgtend.indexes.facts import IndexFacts
from pgtend.indexes.job import Order, rebuild_bloated_indexes
from pgtend.indexes.memory import Memory
from pgtend.indexes.model import Decision
from pgtend.indexes.plan import RebuildPlan, plan_rebuilds
from pgtend.indexes.report import RebuildReport
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
MB = 1024 * 1024


def _whole_file(name: str) -> tuple[str, ...]:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return tuple(one.strip() for one in text.split(";\n") if one.strip())


def _statements(name: str, part: str) -> tuple[str, ...]:
    """Read one part of a file, statement by statement."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    whole = text.split(f"-- {part}\n")[1].split("\n\n")[0]
    return tuple(one.strip() for one in whole.split(";\n") if one.strip())


MAKE, FILL = _statements("churned.sql", "make"), _statements("churned.sql", "fill")
GATES, HELD = _statements("held.sql", "gates"), _statements("held.sql", "held")
STAYS = _whole_file("stays.sql")
SHARED = _whole_file("shared.sql")
INVERTED, TRIGRAMS = _whole_file("inverted.sql"), ("CREATE EXTENSION pg_trgm SCHEMA public",)
_FACTS: Mapping[str, object] = {
    "oid": 20000,
    "table_oid": 16400,
    "schema": "clinic",
    "name": "visits_patient",
    "table_name": "visits",
    "kind": "btree",
    "definition": "d1",
    "size": 400 * MB,
    "rows": 1_000_000,
    "table_rows": 1_000_000,
    "table_size": 1000 * MB,
    "scans": 100,
    "entries_read": 1000,
    "is_valid": True,
    "is_unique": False,
    "is_primary": False,
    "is_exclusion": False,
    "is_replica_identity": False,
    "is_partitioned": False,
    "is_temporary": False,
    "is_toast": False,
    "is_scattered": False,
    "may_rebuild": True,
    "may_read": True,
    "owner": "clinic_owner",
}


def index_facts(**different: object) -> IndexFacts:
    """Describe an ordinary index of 400 MB, apart from what the test says."""
    return IndexFacts(**{**_FACTS, **different})  # type: ignore[arg-type]


def furnish_held(live: LiveDatabase) -> None:
    """Make two tables whose indexes can be held in every phase of their rebuild; bed/held_rebuilds.py does it."""
    live.run("CREATE SCHEMA clinic", address=live.owner)
    live.run(*GATES)
    live.run(*HELD, address=live.owner)


_FURNISH: Mapping[str, Callable[[LiveDatabase], object]] = {
    "empty": lambda live: live.run(*MAKE, address=live.owner),
    "filled": lambda live: live.run(*MAKE, *FILL, address=live.owner),
    "stays": lambda live: live.run(*MAKE, *STAYS, address=live.owner),
    "held": furnish_held,
    "inverted": lambda live: (live.run(*TRIGRAMS), live.run("CREATE SCHEMA clinic", *INVERTED, address=live.owner)),
}


@dataclass(slots=True)
class Templates:
    """Databases that are expensive to fill, made once for each server and copied for each test."""

    made: dict[tuple[int, str], LiveDatabase] = field(default_factory=dict[tuple[int, str], LiveDatabase])
    life: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def copy(self, server: ThrowawayServer, what: str) -> Generator[LiveDatabase]:
        """Give a database of its own to a test; its tables belong to the role that tends it."""
        key = (id(server), what)
        if key not in self.made:
            made = self.life.enter_context(new_database(server))
            _FURNISH[what](made)
            self.made[key] = made
        template = self.made[key]
        name = f"c{secrets.token_hex(5)}"
        with server.session() as session:
            session.run(
                statement("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} STRATEGY file_copy"),
                name=sql.Identifier(name),
                owner=sql.Identifier(template.owner.user),
                template=sql.Identifier(template.name),
            )
        try:
            yield LiveDatabase(server, name, template.owner.to(dbname=name))
        finally:
            drop_database(server, name)


@dataclass(slots=True)
class Ward:
    """One database, the rules its indexes are cared for by, and the memory of it."""

    live: LiveDatabase
    folder: Path
    address: Address
    rules: Mapping[str, object] = field(default_factory=lambda: {"smallest": "64 kB", "least_gain": "64 kB"})
    limits: Mapping[str, object] = field(default_factory=lambda: {"lock_timeout": "2 s", "statement_timeout": "1 min"})
    replicas: Mapping[str, Address] = field(default_factory=dict[str, Address])
    kept_by: Ledger | None = None
    lines: list[str] = field(default_factory=list[str])

    @property
    def database(self) -> Database:
        """The database as the fleet file would describe it, with a window that is always open."""
        return Database.model_validate(
            {
                "name": "clinic",
                "connection": "clinic",
                "limits": dict(self.limits),
                "window": {"start": "00:00", "end": "00:00"},
                "indexes": dict(self.rules),
                "statements": {"replicas": {name: {"connection": name} for name in self.replicas}},
            }
        )

    @property
    def ledger(self) -> Ledger:
        """The memory of these nights."""
        return self.kept_by or FolderLedger(self.folder)

    @contextmanager
    def session(self) -> Generator[Session]:
        """Enter the database as the role that tends it."""
        with self.live.session(self.address) as session:
            yield session

    def plan(self, memory: Memory | None = None, *, only: Sequence[str] = ()) -> RebuildPlan:
        """Judge every index."""
        with self.session() as session:
            return plan_rebuilds(session, self.database.indexes, memory or Memory(), only=only)

    def decision(self, index: str, memory: Memory | None = None) -> Decision:
        """Judge one index."""
        return next(one for one in self.plan(memory, only=(index,)).decisions if one.name == index)

    def work(self, *only: str, insists: bool = False, pauses: tuple[float, ...] = ()) -> RebuildReport:
        """Rebuild what is bloated, or what is named."""
        return rebuild_bloated_indexes(
            self.database,
            {"clinic": self.address, **self.replicas},
            self.ledger,
            Subject("clinic", "reindex", "test"),
            self.lines.append,
            order=Order(only=only, insists=insists, pauses=tuple(timedelta(seconds=pause) for pause in pauses)),
        )
