"""Archives the old rows of a database: plan, detach, move, seal, store, let go, and hand over what others do."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.archive.cold import Store
from pgtend.archive.convert import Converter, make_months_ahead
from pgtend.archive.detach import Detacher
from pgtend.archive.facts import READ_LEAVES
from pgtend.archive.leaving import (
    begin_anew,
    destroy_month,
    drop_month,
    newest_verified_backup,
    put_back,
    remove_superseded,
)
from pgtend.archive.memory import approve, move_on, remember, units_of
from pgtend.archive.model import Departure, Pace, State, Unit, decide_departures, decide_destructions
from pgtend.archive.move import Mover, MoveReport, quick_commits, say_move
from pgtend.archive.pack import pack_month, unpacked
from pgtend.archive.plan import TablePlan, plan_archive, plan_table, read_table, reading_session
from pgtend.archive.pressure import Gauge, Lookout
from pgtend.archive.record import Scribe, Step
from pgtend.archive.report import ArchiveReport
from pgtend.archive.seal import count_whole, follow_columns, seal_month
from pgtend.archive.tables import Shelf
from pgtend.archive.taken import refuse_taken
from pgtend.fleet.model import ArchiveMode, Database, Fleet, TableArchive, Tier
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, say_span, utc_now
from pgtend.ledger.model import Ledger, Subject
from pgtend.ledger.narrow import note_narrow
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.vault.errors import ObjectLocked
from pgtend.vault.model import Vault

PIPELINE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSite:
    """What is archived, how to reach it, and where cold months go."""

    fleet: Fleet
    database: Database
    address: Address
    vault: Callable[[], AbstractContextManager[Vault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever starts a run wants."""

    only: Sequence[str] = ()
    ignore_window: bool = False
    approved_by: str = ""
    """Who says yes to the rules that nobody approved yet; nobody does when this is empty."""
    only_unapproved: bool = False
    """Whether the run is about those rules alone."""
    patience: timedelta | None = None
    """How long to wait for another job on the same database. Default: as long as for any lock."""


def archive_database(  # noqa: PLR0913 - where, on whose behalf, who watches; the rest are wishes with defaults
    site: ArchiveSite,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    wishes: Wishes | None = None,
    clock: Clock = utc_now,
) -> ArchiveReport:
    """Archive what is old by approved rules; what may not be archived is refused after everything else was done."""
    wanted = wishes or Wishes()
    with ledger.run(subject) as run:
        note_narrow(run, site.database.name, wanted.only)
        began, now = time.monotonic(), clock()
        closes_at = began + _room(site.database, now, ignore_window=wanted.ignore_window).total_seconds()
        with _sessions(site, wanted.patience) as (session, second):
            plan = plan_archive(session, site.database, now, only=wanted.only, is_decided=bool(wanted.approved_by))
            scribe = Scribe(run, site.database.name)
            scribe.plan(plan)
            for line in plan.lines():
                progress(line)
            report = ArchiveReport(plan=plan, run_id=run.run_id)
            lookout = Lookout(second, session, site.database.archive.yield_after)
            with lookout.standing():
                night = _Night(site, session, lookout, scribe, progress, report, closes_at, now)
                night.work(wanted)
            report.longest_wait = lookout.longest
        report.took = timedelta(seconds=time.monotonic() - began)
        progress(f"{site.database.name}: {report}")
        plan.raise_if_refused()
        refuse_taken(site.database.name, report.taken, report.doubled)
        return report


@dataclass(slots=True)
class _Night:
    """One run on one database."""

    site: ArchiveSite
    session: Session
    lookout: Lookout
    scribe: Scribe
    progress: Progress
    report: ArchiveReport
    closes_at: float
    now: datetime

    def work(self, wishes: Wishes) -> None:
        """Go through the tables in their order."""
        for table in self.report.plan.tables:
            if table.problems or (wishes.only_unapproved and table.is_approved):
                continue
            if not table.is_approved and not wishes.approved_by:
                self.report.waiting.append(str(table.names))
                continue
            source_id = self._approved(table, wishes.approved_by)
            self._tend(table, source_id)

    def _approved(self, table: TablePlan, by: str) -> int:
        if table.approval is not None and table.is_approved:
            return table.approval.source_id
        self.progress(f"{table.names}: its rule was approved by {by}")
        return approve(self.session, table.names, table.digest, by).source_id

    def _tend(self, table: TablePlan, source_id: int) -> None:
        remember(self.session)
        table = self._convert(table)
        reading = table.reading
        shelf = Shelf(
            session=self.session, source_id=source_id, names=table.names, facts=reading.facts, layout=reading.layout
        )
        shelf.prepare()
        for unit in put_back(shelf, table.units):
            self.progress(f"{table.names} {unit.label}: back in the archive, its drop was interrupted")
        followed = follow_columns(shelf, table.units)
        if followed:
            self.progress(
                f"{table.names}: {counted(followed, 'month')} hashed again, by the columns that the table has now"
            )
        if reading.rule.mode is ArchiveMode.CONVERT and reading.may_detach:
            made = make_months_ahead(shelf, reading, self.now)
            if made:
                self.progress(f"{table.names}: {counted(made, 'partition')} made for months to come")
        self._detach(shelf, table)
        if self._move(shelf, table):
            self._seal(shelf)
            if reading.rule.tier is Tier.PACKED:
                self._pack(shelf, reading.rule.person or "")
        self._let_go(shelf, table)
        self._say_what_is_left(table)

    def _say_what_is_left(self, table: TablePlan) -> None:
        changed = read_table(self.session, table.names, table.reading.rule)
        if changed is not None:
            self.scribe.left(plan_table(self.session, changed, self.now))

    def _convert(self, table: TablePlan) -> TablePlan:
        """Make it partitioned where its rule says so, and clean up after a rule that said so once."""
        reading = table.reading
        if reading.facts.is_partitioned:
            return table
        converter = Converter(
            session=self.session, reading=reading, progress=self.progress, closes_at=self.closes_at, now=self.now
        )
        if not reading.converts:
            converter.forget()
            return table
        began = time.monotonic()
        if not converter.convert():
            self.report.is_finished = False
            return table
        self.report.converted += 1
        took = timedelta(seconds=time.monotonic() - began)
        self.scribe.step(table.names, Step.CONVERTED, took=took)
        changed = read_table(self.session, table.names, reading.rule)
        return plan_table(self.session, changed, self.now, is_decided=True) if changed else table

    def _detach(self, shelf: Shelf, table: TablePlan) -> None:
        began = time.monotonic()
        detacher = Detacher(
            session=self.session, shelf=shelf, plan=table, progress=self.progress, closes_at=self.closes_at
        )
        done = detacher.detach()
        self.report.detached += len(done.months)
        self.report.is_finished &= not done.waiting
        took, months = timedelta(seconds=time.monotonic() - began), counted(len(done.months), "month")
        if done.months:
            self.progress(f"{shelf.names}: {months} left as whole partitions in {say_span(took)}")
        units = {unit.month: unit for unit in units_of(self.session, shelf.names)}
        for month in done.months:
            self.scribe.step(shelf.names, Step.DETACHED, unit=units[month], took=took / len(done.months))

    def _move(self, shelf: Shelf, table: TablePlan) -> bool:
        if not any(due.months for due in table.leaves if due.whole is None):
            return True
        count_whole(shelf)
        rules, began = self.site.database.archive, time.monotonic()
        mover = Mover(
            session=self.session,
            shelf=shelf,
            plan=table,
            lookout=self.lookout,
            gauge=Gauge(self.session, rules, self.progress),
            progress=self.progress,
            closes_at=self.closes_at,
            pace=Pace(rules.batch),
        )
        quick_commits(self.session, quick=True)
        moved = mover.move()
        quick_commits(self.session, quick=False)
        self.report.rows += moved.rows
        self.report.is_finished &= moved.is_finished
        self.report.taken |= {str(shelf.names): moved.taken} if moved.taken else {}
        self.progress(f"{shelf.names}: {say_move(moved)}")
        took = timedelta(seconds=time.monotonic() - began)
        self.scribe.step(shelf.names, Step.MOVED, rows=moved.rows, took=took, detail=f"{moved.batches} batches")
        self._hand_over(shelf, moved)
        return moved.is_finished

    def _hand_over(self, shelf: Shelf, moved: MoveReport) -> None:
        """Tell those who make tables smaller; only they know when that is worth its price."""
        for leaf in self.session.rows(READ_LEAVES, {"relation": shelf.facts.oid}):
            if removed := moved.by_leaf.get(leaf.oid):
                self.scribe.reclaim(leaf, removed)

    def _seal(self, shelf: Shelf) -> None:
        for unit in units_of(self.session, shelf.names):
            if unit.stands is not State.MOVING:
                continue
            if time.monotonic() >= self.closes_at:
                self.report.is_finished = False
                return
            began = time.monotonic()
            sealed = seal_month(shelf, unit)
            if sealed is None:
                self.report.doubled.append(f"{shelf.names} {unit.label}")
                continue
            took = timedelta(seconds=time.monotonic() - began)
            self.report.sealed += 1
            self.progress(f"{shelf.names} {unit.label}: sealed, {counted(sealed.rows, 'row')}, {sealed.size}")
            self.scribe.step(shelf.names, Step.SEALED, unit=unit, rows=sealed.rows, size=sealed.size, took=took)

    def _pack(self, shelf: Shelf, person: str) -> None:
        for unit in unpacked(shelf):
            if time.monotonic() >= self.closes_at:
                self.report.is_finished = False
                return
            began = time.monotonic()
            packed = pack_month(shelf, unit, person)
            if packed is None:
                self.progress(f"{shelf.names} {unit.label}: somebody reads it; the next run packs it")
                continue
            took = timedelta(seconds=time.monotonic() - began)
            self.report.packed += 1
            self.progress(f"{shelf.names} {unit.label}: packed, {packed.before} became {packed.after}")
            before = f"from {packed.before}"
            self.scribe.step(
                shelf.names, Step.PACKED, unit=unit, rows=unit.rows, size=packed.after, took=took, detail=before
            )

    def _let_go(self, shelf: Shelf, table: TablePlan) -> None:
        """Store what shall be cold, and let go of what has to go; the vault is opened only where a rule needs it."""
        rule = table.reading.rule
        if rule.tier is not Tier.COLD and rule.forget_after is None:
            return
        with self.site.vault() as vault:
            store = Store(fleet=self.site.fleet, database=self.site.database.name, vault=vault)
            if rule.tier is Tier.COLD:
                self._store(shelf, store)
            backup = newest_verified_backup(vault, self.site.fleet.fleet, self.site.database.name)
            # First what was begun: a month that a killed run removed from the vault alone is no damage.
            for judged in tuple(decide_destructions(units_of(self.session, shelf.names), rule, self.now, backup)):
                self._destroy(shelf, judged, vault)
            for judged in decide_departures(units_of(self.session, shelf.names), rule, self.now, backup):
                self._depart(shelf, judged, rule, vault)

    def _store(self, shelf: Shelf, store: Store) -> None:
        for unit in units_of(self.session, shelf.names):
            if unit.stands is State.PROVEN:
                # A run that was killed after the proof left older ones there, as does a store that guards its objects.
                self._forget_older(shelf, unit, store.vault)
            if unit.stands not in {State.SEALED, State.STORED} or time.monotonic() >= self.closes_at:
                self.report.is_finished &= unit.stands not in {State.SEALED, State.STORED}
                continue
            began = time.monotonic()
            begin_anew(shelf, unit)
            unit = self._again(shelf, unit)  # noqa: PLW2901 - the month as it stands now
            if unit.rows == 0:
                # All of its rows were erased, or are live again: what the vault still has of it goes.
                self._forget_older(shelf, unit, store.vault)
                continue
            if unit.stands is State.STORED:
                move_on(self.session, unit, State.SEALED)
                unit = self._again(shelf, unit)  # noqa: PLW2901 - the month as it stands now
            manifest, key = store.store(shelf, unit)
            stored = self._again(shelf, unit)
            move_on(self.session, stored, State.PROVEN)
            self._forget_older(shelf, stored, store.vault)
            took = timedelta(seconds=time.monotonic() - began)
            self.report.proven += 1
            size = Bytes(manifest.stored_size)
            self.progress(f"{shelf.names} {unit.label}: proven in the vault, {counted(manifest.rows, 'row')}, {size}")
            self.scribe.step(
                shelf.names, Step.PROVEN, unit=stored, rows=manifest.rows, size=int(size), took=took, detail=key
            )

    def _forget_older(self, shelf: Shelf, unit: Unit, vault: Vault) -> None:
        """Remove what the vault has of a month from before, or say that it has to stay there for a while."""
        if not remove_superseded(shelf, unit, vault):
            self.progress(f"{shelf.names} {unit.label}: the vault guards what it had of it before for a while")

    def _depart(self, shelf: Shelf, judged: Departure, rule: TableArchive, vault: Vault) -> None:
        if not judged.leaves:
            if rule.tier is Tier.COLD:
                self.progress(f"{shelf.names} {judged.unit.label} stays in the database: {judged.stays}")
            return
        drop_month(shelf, judged.unit, vault)
        self.report.dropped += 1
        self.progress(f"{shelf.names} {judged.unit.label}: left the database, the vault has it")
        self.scribe.step(shelf.names, Step.DROPPED, unit=judged.unit, rows=judged.unit.rows)

    def _destroy(self, shelf: Shelf, judged: Departure, vault: Vault) -> None:
        if not judged.leaves:
            self.progress(f"{shelf.names} {judged.unit.label} is not destroyed: {judged.stays}")
            return
        try:
            destroy_month(shelf, judged.unit, vault)
        except ObjectLocked:
            self.progress(f"{shelf.names} {judged.unit.label} is not destroyed: the vault guards it for a while")
            return
        self.report.destroyed += 1
        self.progress(f"{shelf.names} {judged.unit.label}: destroyed, its time was over")
        self.scribe.step(shelf.names, Step.DESTROYED, unit=judged.unit, rows=judged.unit.rows)

    def _again(self, shelf: Shelf, unit: Unit) -> Unit:
        return next(one for one in units_of(self.session, shelf.names) if one.month == unit.month)


@contextmanager
def _sessions(site: ArchiveSite, patience: timedelta | None) -> Generator[tuple[Session, Session]]:
    """Open the session that works and the one that watches, and hold the database for us alone."""
    name, limits = site.database.name, site.database.limits
    with (
        reading_session(site.address, limits, application=f"pgtend:{PIPELINE}:{name}") as session,
        reading_session(site.address, limits, application=f"pgtend:lookout:{name}") as second,
        session.hold(name, patience=patience or limits.lock_timeout),
    ):
        yield session, second


def _room(database: Database, now: datetime, *, ignore_window: bool) -> timedelta:
    """Tell how long something may still be begun: to the end of the window or of the time budget."""
    budget = database.archive.time_budget
    return budget if ignore_window else min(budget, database.archive.window.closes_at(now) - now)
