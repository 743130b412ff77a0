"""Says which rows would leave a database, how, at what price, and what stands in the way; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pgtend.archive.due import SAMPLING, LeafDue, Sampling, look
from pgtend.archive.errors import NoSuchRule, NotArchivable, NotYetApproved
from pgtend.archive.facts import (
    PIN_SESSION,
    READ_COLUMNS,
    READ_LEAVES,
    READ_OBSTACLES,
    READ_REFERENCES,
    READ_SOURCE,
    READ_TRIGGERS,
    Approval,
    HoldFacts,
)
from pgtend.archive.memory import approval_of, holds_of, units_of
from pgtend.archive.model import Estimate, Unit, cutoff_month, in_order, rule_digest
from pgtend.archive.names import Names
from pgtend.archive.preflight import Reading
from pgtend.archive.room import needed_by, room_left
from pgtend.archive.tables import Relation, find
from pgtend.fleet.model import ArchiveMode, ArchiveRules, Database, Limits, TableArchive
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import counted, suggestion
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.postgres.address import Address
from pgtend.postgres.errors import StandbyRefused
from pgtend.postgres.session import Session, open_session

_LOCK_PATIENCE = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """What would be done to one table, and why."""

    reading: Reading
    cutoff: date
    leaves: Sequence[LeafDue]
    units: Sequence[Unit]
    holds: Sequence[HoldFacts]
    problems: Sequence[Problem]
    approval: Approval | None

    @property
    def names(self) -> Names:
        """Which table."""
        return self.reading.names

    @property
    def is_approved(self) -> bool:
        """Whether a person approved exactly this rule."""
        return self.approval is not None and self.approval.rule_digest == self.digest

    @property
    def digest(self) -> str:
        """The rule in one word."""
        return rule_digest(str(self.names), self.reading.rule)

    @property
    def mode(self) -> ArchiveMode:
        """How months leave."""
        if self.reading.converts:
            return ArchiveMode.CONVERT
        return ArchiveMode.DETACH if any(due.whole for due in self.leaves) else ArchiveMode.MOVE

    @property
    def months(self) -> Mapping[date, int]:
        """Rows that would leave, by month."""
        counted: dict[date, int] = defaultdict(int)
        for due in self.leaves:
            for month in due.months:
                counted[month.month] += month.rows
        return dict(sorted(counted.items()))

    @property
    def rows(self) -> int:
        """All rows that would leave."""
        return sum(due.rows for due in self.leaves)

    @property
    def is_counted(self) -> bool:
        """Whether every row was counted, and not those of some pages alone."""
        return all(due.is_counted for due in self.leaves)

    @property
    def estimate(self) -> Estimate:
        """What it is going to cost."""
        moved = [due for due in self.leaves if due.whole is None]
        heap = sum(due.share for due in moved)
        indexes = sum(due.leaf.index_size for due in moved if due.rows)
        return Estimate(rows=sum(due.rows for due in moved), heap=Bytes(heap), indexes=Bytes(indexes))

    def locks(self) -> Iterator[str]:
        """Say which locks it takes."""
        if self.reading.converts:
            yield (
                "ACCESS EXCLUSIVE on the table, and on what its foreign keys point at, for the moment in which it "
                "becomes a partition: tried for 100 ms at a time"
            )
        if any(due.whole for due in self.leaves):
            yield "SHARE UPDATE EXCLUSIVE on the table while a month is detached: nobody waits"
            yield "ACCESS EXCLUSIVE on what its foreign keys point at, for a moment: tried for 100 ms at a time"
        if self.estimate.rows:
            yield "ROW EXCLUSIVE on the table, and the rows of one batch for about its length: other rows are free"
        yield "SHARE UPDATE EXCLUSIVE on the archive when a month is added"

    def lines(self) -> Iterator[str]:
        """Say all of it to people, one line at a time."""
        yield f"{self.names}: {self.headline()}"
        for month, rows in self.months.items():
            yield f"    {month:%Y-%m}: {self._about}{counted(rows, 'row')}"
        if self.rows or self.reading.converts:
            cost = self.estimate
            yield (
                f"    about {cost.wal} of write-ahead log, {cost.disk} of disk for the archive, "
                f"{say_span(cost.took)} of work; the table keeps its size until it is rewritten"
            )
            yield from (f"    lock: {lock}" for lock in self.locks())
        yield from (f"    note: {note}" for note in self.reading.notes())
        yield from (f"    held: {hold.month:%Y-%m}, {hold.reason}" for hold in self.holds)
        yield from (f"    refused: {problem.what}. {problem.hint}" for problem in self.problems)

    def headline(self) -> str:
        """Say it in one line."""
        if self.problems:
            return f"nothing can be archived for {counted(len(self.problems), 'reason')}"
        if self.reading.converts:
            waits = "" if self.is_approved else "; this rule waits for its first approval"
            moved = f"{self._about}{counted(self.rows, 'row')}"
            return f"would become partitioned by month, and then {moved} would leave{waits}"
        rows = f"{self._about}{counted(self.rows, 'row')} of {counted(len(self.months), 'month')}"
        waits = "" if self.is_approved else "; this rule waits for its first approval"
        rows += f" before {self.cutoff:%Y-%m}"
        return f"{rows} would leave by {self.mode}{waits}" if self.rows else f"nothing is old enough{waits}"

    @property
    def _about(self) -> str:
        return "" if self.is_counted else "about "


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """What would be done in one database."""

    database: str
    server: str
    tables: Sequence[TablePlan]
    missing: Sequence[Problem]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that stands in the way, of all tables."""
        return (*self.missing, *(problem for table in self.tables for problem in table.problems))

    @property
    def unapproved(self) -> tuple[TablePlan, ...]:
        """Tables whose rule nobody approved, and that could be archived otherwise."""
        return tuple(table for table in self.tables if not table.is_approved and not table.problems)

    def lines(self) -> Iterator[str]:
        """Say all of it to people, one line at a time."""
        if not self.tables and not self.missing:
            yield f"{self.database}: no table has an archive rule"
        yield from (f"{problem}" for problem in self.missing)
        for table in self.tables:
            yield from table.lines()

    def raise_if_refused(self) -> None:
        """Refuse to begin where the catalogue forbids it, and say all of it."""
        NotArchivable.raise_if_any(
            f"{self.database} has tables that cannot be archived by their rules",
            self.problems,
            hint="Nothing was moved from them. See docs/runbooks/archive-refused.md.",
        )

    def raise_if_unapproved(self) -> None:
        """Refuse when a person has to look first."""
        if self.unapproved:
            names = ", ".join(str(table.names) for table in self.unapproved)
            raise NotYetApproved(
                f"nobody approved the rules of {names} yet",
                detail="The first run of a rule moves rows that nobody looked at, so a person says yes to its plan.",
                hint="Look at `pgtend archive plan`, then say yes: pgtend archive run --approve.",
            )


def plan_archive(
    session: Session, database: Database, now: datetime, *, only: Sequence[str] = (), is_decided: bool = False
) -> ArchivePlan:
    """Judge every table that has a rule; changes nothing. Decided is what somebody approves with this very run."""
    _refuse_standby(session)
    rules = database.archive.tables
    room = room_left(session, database.health.disk)
    tables: list[TablePlan] = []
    missing: list[Problem] = []
    for name in chosen(database.archive, only):
        reading = read_table(session, Names.of(name), rules[name])
        if reading is None:
            missing.append(missing_table(name))
        else:
            table = plan_table(session, reading, now, is_decided=is_decided)
            needed = needed_by(table.estimate)
            if reading.converts:
                # The wider key is no larger than the indexes that are there.
                needed += sum(leaf.index_size for leaf in reading.leaves)
            if room is not None and needed > room:
                table = replace(table, problems=(*table.problems, _no_room(table, needed, room)))
            elif room is not None:
                room -= needed
            tables.append(table)
    return ArchivePlan(
        database=database.name, server=session.facts.version_text, tables=tuple(tables), missing=tuple(missing)
    )


def missing_table(name: str) -> Problem:
    """Say that a rule speaks of a table that is not there."""
    return Problem(name, "there is no such table", "Correct archive.tables in the fleet file.")


def chosen(rules: ArchiveRules, only: Sequence[str] = ()) -> tuple[str, ...]:
    """List the tables with a rule in the order in which they are archived, or those of them that are asked for."""
    for name in only:
        if name not in rules.tables:
            raise NoSuchRule(
                f"the fleet file has no archive rule for '{name}'",
                detail=suggestion(name, rules.tables),
                hint="Write one under archive.tables in the fleet file.",
            )
    return tuple(name for name in in_order(rules.tables) if not only or name in only)


def read_table(session: Session, names: Names, rule: TableArchive) -> Reading | None:
    """Gather what the catalogue says about a table; none when there is no such table."""
    facts = next(iter(session.rows(READ_SOURCE, {"schema": names.schema, "name": names.table})), None)
    if facts is None:
        return None
    here = {"relation": facts.oid}
    archive = find(session, names.schema, names.archive_name)
    view = find(session, names.schema, names.view_name)
    ours = archive is not None and archive.kind == "p" and archive.comment == names.comment
    there = {"relation": archive.oid} if archive and ours else None
    found = session.rows(READ_SOURCE, {"schema": names.schema, "name": names.archive_name}) if there else []
    return Reading(
        names=names,
        rule=rule,
        major=session.facts.major,
        facts=facts,
        columns=session.rows(READ_COLUMNS, here),
        references=session.rows(READ_REFERENCES, here),
        triggers=[one for one in session.rows(READ_TRIGGERS, here) if one.on_delete],
        leaves=session.rows(READ_LEAVES, here),
        archive_columns=session.rows(READ_COLUMNS, there) if there else (),
        archive_triggers=session.rows(READ_TRIGGERS, there) if there else (),
        archived_by=found[0].partitioned_by if found else "",
        archive_leaves=session.rows(READ_LEAVES, there) if there else (),
        strangers=tuple(_strangers(names, archive, view, ours=ours)),
        found_in_the_way=() if facts.is_partitioned else session.rows(READ_OBSTACLES, {**here, "time": rule.by}),
    )


@contextmanager
def reading_session(address: Address, limits: Limits, *, application: str) -> Generator[Session]:
    """Open a session in which rows look the same everywhere, none is hidden, and no lock is waited for long."""
    careful = limits.model_copy(update={"lock_timeout": min(limits.lock_timeout, _LOCK_PATIENCE)})
    with open_session(address.to(client_encoding="UTF8"), careful, application=application) as session:
        session.row(PIN_SESSION)
        yield session


def plan_table(
    session: Session, reading: Reading, now: datetime, *, is_decided: bool = False, sampling: Sampling = SAMPLING
) -> TablePlan:
    """Judge one table. What a person has yet to decide about is counted to the last row, and all else by a sample."""
    problems = tuple(reading.problems())
    holds = holds_of(session, reading.names)
    cutoff = cutoff_month(now, reading.rule)
    bare = TablePlan(
        reading=reading,
        cutoff=cutoff,
        leaves=(),
        units=units_of(session, reading.names),
        holds=holds,
        problems=problems,
        approval=approval_of(session, reading.names),
    )
    enough = sampling if is_decided or bare.is_approved else None
    return bare if problems else replace(bare, leaves=tuple(look(session, reading, cutoff, holds, enough)))


def _strangers(names: Names, archive: Relation | None, view: Relation | None, *, ours: bool) -> Iterator[str]:
    if archive is not None and not ours:
        yield f"{names.schema}.{names.archive_name}"
    if view is not None and (view.kind != "v" or not ours):
        yield f"{names.schema}.{names.view_name}"


def _no_room(table: TablePlan, needed: int, room: int) -> Problem:
    return Problem(
        str(table.names),
        f"it needs about {Bytes(needed)} of disk for its archive and the log, and {Bytes(max(room, 0))} may be used",
        "Make room, let it leave in steps by a longer `keep`, or correct health.disk in the fleet file.",
    )


def _refuse_standby(session: Session) -> None:
    if session.facts.is_standby:
        raise StandbyRefused(
            "this server is a standby, and rows can only be moved on the primary",
            detail=f"This was {session.address.place}.",
            hint="Point the connection at the primary, for example with target_session_attrs=read-write.",
        )


__all__ = [
    "ArchivePlan",
    "TablePlan",
    "chosen",
    "missing_table",
    "plan_archive",
    "plan_table",
    "read_table",
    "reading_session",
]
