"""Takes a backup: preflight, locks, snapshot, dumps and fingerprints side by side, read back, manifest last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias, TypeVar

from pgtend.backup.advisories import Version
from pgtend.backup.catalogue import newest_size
from pgtend.backup.crew import Crew
from pgtend.backup.dumping import Errand, OpenDump
from pgtend.backup.facts import LARGE_OBJECTS, READ_OUTSIDE, READ_RELATIONS, READ_SOURCE, Outside, RowsHashed
from pgtend.backup.fingerprints import (
    as_fingerprint,
    fingerprint_of_objects,
    hash_large_objects,
    hash_rows,
    reader,
    work_alone,
)
from pgtend.backup.fuse import fused
from pgtend.backup.gathering import read_surroundings
from pgtend.backup.listing import record_new
from pgtend.backup.manifest import Manifest, backup_folder, fingerprints_json, to_json, write_manifest
from pgtend.backup.model import Look, plan_looks, plan_shards, worth_hashing
from pgtend.backup.muster import mustered, until_still
from pgtend.backup.preflight import Preflight, recipients_of
from pgtend.backup.readback import read_back
from pgtend.backup.record import Part, Role
from pgtend.backup.rowfile import Origin
from pgtend.backup.snapshot import HeldSnapshot, held_snapshot
from pgtend.backup.writing import Findings, Identity, compose
from pgtend.fleet.model import BackupRules, Database, Fleet
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import counted, new_run_id
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, say_span, utc_now
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.process import Stalled
from pgtend.postgres.session import Session
from pgtend.postgres.tools import ClientTools
from pgtend.vault.model import Vault

PIPELINE = "backup"
Result = TypeVar("Result")
Looker: TypeAlias = Callable[[Session], None]
Views: TypeAlias = dict[int, Callable[[Session], RowsHashed]]
"""How each thing is looked at that is hashed, by its number in the catalogue."""
PATIENCE = timedelta(minutes=10)
"""How long to wait for another job on the same database, such as the nightly ANALYZE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is backed up, how to reach it, and where the copies go."""

    fleet: Fleet
    database: Database
    address: Address
    vault: Vault
    remarks: tuple[str, ...] = ()
    """What the backup says of itself besides what is found out."""


def take_backup(  # noqa: PLR0913 - what, on whose behalf, who watches; the rest are wishes with defaults
    site: Site,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    ignore_window: bool = False,
    patience: timedelta = PATIENCE,
    clock: Clock = utc_now,
) -> Manifest:
    """Take a backup and read it back; it exists when this returns, and not before."""
    with ledger.run(subject) as run:
        if not ignore_window:
            site.database.backup.window.closes_at(clock())
        backup_id = new_run_id(clock())
        night = _Night(site, progress, backup_id, clock())
        with night.door() as coordinator, coordinator.hold(site.database.name, patience=patience):
            manifest = night.work(coordinator, clock)
        ledger.audit(
            actor=subject.actor,
            action="backup.committed",
            target=subject.target,
            detail={"run": run.run_id, "backup": backup_id, "manifest_sha256": sha256_hex(to_json(manifest))},
        )
        record_new(run, site.database.vault, manifest)
        return manifest


@dataclass(slots=True)
class _Night:
    """One backup while it is taken."""

    site: Site
    progress: Progress
    backup_id: str
    started_at: datetime
    parts: list[Part] = field(default_factory=list[Part])
    hashed: dict[int, RowsHashed] = field(default_factory=dict[int, RowsHashed])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = field(default_factory=time.monotonic)

    @property
    def rules(self) -> BackupRules:
        """By which rules."""
        return self.site.database.backup

    @property
    def application(self) -> str:
        """The name under which the server shows us."""
        return f"pgtend:{PIPELINE}:{self.site.database.name}"

    @property
    def folder(self) -> str:
        """Where this backup's objects lie."""
        return backup_folder(self.site.fleet.fleet, self.site.database.name, self.backup_id)

    def door(self) -> AbstractContextManager[Session]:
        """Open a session in which rows look the same in text everywhere."""
        return reader(self.site.address, self.site.database.limits, application=self.application)

    def work(self, coordinator: Session, clock: Clock) -> Manifest:
        """Do all of it, or leave nothing that looks like a backup."""
        preflight = self._patiently(lambda: self._preflight(coordinator))
        preflight.raise_if_not_ready()
        for remark in preflight.remarks():
            self._say(f"note: {remark}")
        with self._clearing_up():
            manifest = self._compose(self._read_everything(coordinator, preflight), clock)
        # Outside: when the answer to this is lost, nobody may take the parts away from under a manifest that is there.
        write_manifest(self.site.vault, manifest)
        took = say_span(timedelta(seconds=manifest.timing.total))
        size = Bytes(manifest.stored_size)
        self._say(f"{manifest.state} {self.backup_id}: {counted(manifest.rows, 'row')}, {size} in {took}")
        return manifest

    def _preflight(self, session: Session) -> Preflight:
        tools = ClientTools.find(session.facts.major)
        return Preflight(
            source=session.row(READ_SOURCE),
            outside=session.row(READ_OUTSIDE),
            relations=session.rows(READ_RELATIONS),
            client=Version.parse(tools.version_text),
            recipients=recipients_of(self.site.fleet, self.site.database.name),
            unencrypted=self.rules.unencrypted,
            room=self.site.vault.room(),
            last_size=newest_size(self.site.vault, self.site.fleet.fleet, self.site.database.name),
        )

    def _read_everything(self, coordinator: Session, preflight: Preflight) -> Findings:
        with ExitStack() as stack:
            readers = [stack.enter_context(self.door()) for _ in range(self._eyes)]
            for one in readers:
                work_alone(one)
            return self._patiently(lambda: self._try(coordinator, readers, preflight))

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        return until_still(attempt, within=self.rules.patience, progress=self._say, is_untouched=lambda: not self.parts)

    def _try(self, coordinator: Session, readers: Sequence[Session], preflight: Preflight) -> Findings:
        """Read everything in one moment, or nothing: what disturbs does so before the first byte is stored."""
        locked_at = time.monotonic()
        sessions = (coordinator, *readers)
        with (
            fused(sessions, self.rules.silence) as fuse,
            held_snapshot(coordinator, readers, self.site.database.limits.lock_timeout) as held,
        ):
            looks = plan_looks(held.relations, self.rules.fingerprint_budget)
            shards = plan_shards(held.relations, self.rules.own_part_from, self.rules.sessions - 4 - self._eyes)
            errand = self._errand(preflight, held)
            try:
                with mustered(errand, shards, coordinator, within=self.rules.silence) as dumps:
                    self._say(f"locked {counted(held.locked, 'table')}, snapshot at {held.exported.lsn}")
                    tables = counted(len(looks), "table")
                    self._say(f"{counted(len(dumps), 'dump')} with all locks, {tables} to look at")
                    # Nobody locks a view, so whoever replaces or refreshes one keeps us out: better before the first
                    # byte is stored than after.
                    around = read_surroundings(readers[0])
                    fuse.calm()
                    views = self._views(preflight.outside, looks)
                    self._set_to_work(errand, dumps, readers, self._looks(errand, looks, views))
            except Stalled:
                # Whoever swallows the dumps swallows our goodbye too, and we would wait for the answer to it.
                for session in sessions:
                    session.abandon()
                raise
        return Findings(
            preflight=preflight,
            held=held,
            surroundings=around,
            held_for=time.monotonic() - locked_at,
            looks=looks,
            hashed=self.hashed,
        )

    @property
    def _eyes(self) -> int:
        """How many sessions hash rows: as many as dumps are read, as far as three dumps at least have theirs."""
        return min(self.rules.parallel, self.rules.sessions - 4)

    def _set_to_work(
        self, errand: Errand, dumps: Sequence[OpenDump], readers: Sequence[Session], looks: Sequence[Looker]
    ) -> None:
        crew = Crew()
        short = [dump for dump in dumps if dump.shard.role in {Role.PRE_DATA, Role.POST_DATA}]
        long = [dump for dump in dumps if dump not in short]
        crew.work(
            [
                *(self._dump(errand, dump, crew) for dump in short),
                lambda: self._keep(errand.dump_globals(crew)),
                *(self._dump(errand, dump, crew) for dump in long),
            ],
            looks,
            parallel=self.rules.parallel,
            readers=readers,
        )

    def _errand(self, preflight: Preflight, held: HeldSnapshot) -> Errand:
        return Errand(
            folder=self.folder,
            vault=self.site.vault,
            recipients=tuple(preflight.recipients),
            tools=ClientTools.find(preflight.server.major),
            address=self.site.address.to(application_name=self.application),
            limits=self.site.database.limits,
            silence=self.rules.silence,
            snapshot=held.exported.name,
            origin=Origin(
                database=preflight.source.database,
                server=str(preflight.server),
                client=str(preflight.client),
                made_at=self.started_at,
            ),
            encoding=preflight.source.encoding,
        )

    def _dump(self, errand: Errand, dump: OpenDump, crew: Crew) -> Callable[[], None]:
        return lambda: errand.store(dump, crew, self._keep)

    def _views(self, outside: Outside, looks: Sequence[Look]) -> Views:
        """Say how each table is looked at, and the large objects where there is time for them."""
        views: Views = {look.table.oid: partial(hash_rows, look=look) for look in looks}
        if worth_hashing(outside, looks, self.rules.fingerprint_budget):
            views[LARGE_OBJECTS] = hash_large_objects
        return views

    def _looks(self, errand: Errand, looks: Sequence[Look], views: Views) -> list[Looker]:
        """Look at everything; whoever has seen the last of it stores what was seen, while dumps are still read."""
        unseen = set(views)
        # Of a try that gave way: what it saw was of another moment.
        self.hashed.clear()

        def work(oid: int, session: Session) -> None:
            hashed = views[oid](session)
            with self._lock:
                self.hashed[oid] = hashed
                unseen.remove(oid)
                is_last = not unseen
            if is_last:
                self._keep_fingerprints(errand, looks)

        if not views:
            return [lambda _: self._keep_fingerprints(errand, looks)]
        return [partial(work, oid) for oid in views]

    def _keep_fingerprints(self, errand: Errand, looks: Sequence[Look]) -> None:
        prints = [as_fingerprint(look, self.hashed[look.table.oid]) for look in looks]
        if LARGE_OBJECTS in self.hashed:
            prints.append(fingerprint_of_objects(self.hashed[LARGE_OBJECTS]))
        self._keep(errand.keep("fingerprints.json", Role.FINGERPRINTS, fingerprints_json(prints)))

    def _keep(self, part: Part) -> None:
        with self._lock:
            self.parts.append(part)
        ratio = part.stored_size / max(part.plain_size, 1)
        self._say(f"stored {part.name}: {Bytes(part.plain_size)}, sealed to {Bytes(part.stored_size)} ({ratio:.0%})")

    def _compose(self, findings: Findings, clock: Clock) -> Manifest:
        order = list(Role)
        parts = sorted(self.parts, key=lambda part: (order.index(part.role), part.name))
        state, seen = read_back(self.site.vault, self.folder, parts, self.rules, self._say)
        made = compose(
            findings,
            identity=Identity(
                backup_id=self.backup_id,
                fleet=self.site.fleet.fleet,
                database=self.site.database.name,
                started_at=self.started_at,
                finished_at=clock(),
            ),
            state=state,
            parts=seen,
            total=time.monotonic() - self._began,
        )
        return made.model_copy(update={"remarks": (*made.remarks, *self.site.remarks)})

    @contextmanager
    def _clearing_up(self) -> Generator[None]:
        """Take away what a failed try stored. What cannot be taken away is no backup without a manifest."""
        try:
            yield
        except BaseException as error:
            for part in self.parts:
                try:
                    self.site.vault.delete(f"{self.folder}{part.name}")
                except PgtendError as trouble:
                    error.add_note(f"{part.name} could not be taken away: {trouble.message}.")
            raise

    def _say(self, line: str) -> None:
        self.progress(f"{self.site.database.name}: {line}")
