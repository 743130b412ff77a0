"""Proves a backup: chooses one, restores it between walls, looks at everything, judges, records, and wipes."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import zstandard

from pgtend.backup.catalogue import LATEST, Catalogue, CatalogueEntry, read_catalogue
from pgtend.backup.listing import record_listing
from pgtend.backup.marks import Lease, Mark, in_use, put_mark
from pgtend.backup.places import place_in
from pgtend.backup.states import BackupState
from pgtend.drill.course import Course, Setting, never_reached
from pgtend.drill.errors import NothingSealed
from pgtend.drill.evidence import last_answers, past_drills, record
from pgtend.drill.looking import failed, not_compared, passed, skipped
from pgtend.drill.model import (
    ALWAYS,
    AT_TIMES,
    Check,
    CheckName,
    CheckOutcome,
    DrilledBackup,
    DrillOutcome,
    Rule,
    Selection,
    Target,
    Wipe,
)
from pgtend.drill.prediction import recovery
from pgtend.drill.provision import Copy
from pgtend.drill.selection import Chosen, choose, due_extras, due_rule, vault_for
from pgtend.drill.stages import Stage
from pgtend.drill.telling import raise_if_failed, say_outcome
from pgtend.fleet.model import Database, Fleet
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.names import new_run_id
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import CLOCKS_DIFFER, Clock, say_span, utc_now
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.postgres.leftovers import sweep_leftovers
from pgtend.postgres.sandbox import Sandbox
from pgtend.postgres.session import Session
from pgtend.postgres.tools import ClientTools
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.model import Vault

PIPELINE = "restore_drill"
# By how much clocks may differ that are set.
_METHOD = "the server was killed, and its folder removed"
Vaults: TypeAlias = Callable[[str], AbstractContextManager[Vault]]
OnCopy: TypeAlias = Callable[[Session, DrillOutcome], None]
"""Somebody who uses the restored copy while it is up, as superuser of it, after everything was checked."""
Issue: TypeAlias = Callable[[DrillOutcome], object]
"""Whoever makes a receipt of an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillSite:
    """Where backups are, who may open them, and where they are restored."""

    fleet: Fleet
    database: Database
    vaults: Vaults
    """Opens a vault by its name in the fleet file."""
    keys: PrivateKeys | None
    sandbox: Sandbox | None = None
    """Instead of the best walls that this machine can build."""
    on_copy: tuple[OnCopy, ...] = ()
    issue: Issue | None = None
    on_outcome: tuple[Issue, ...] = ()
    """Whoever wants to know what came of it, good or bad, once it is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOrder:
    """Which backup, and what else was wished for."""

    rule: Rule | None = None
    """Nothing means: the rule that is most overdue."""
    backup: str = LATEST
    """Of the rule `chosen`: latest, the name of a backup, or a moment."""
    extras: frozenset[CheckName] | None = None
    """Checks at a cadence of their own; nothing means those that are due."""
    keep: timedelta = timedelta()
    """How long the copy stays after it was looked at, as long as this process lives."""


@dataclass(slots=True, kw_only=True)
class _Drill:
    """Everything that one drill knows."""

    site: DrillSite
    order: DrillOrder
    run: Run
    subject: Subject
    progress: Progress
    clock: Clock
    vault: Vault
    catalogue: Catalogue
    chosen: Chosen
    selection: Selection
    course: Course
    due: frozenset[CheckName]
    started_at: datetime
    remarks: list[str] = field(default_factory=list[str])

    def go(self) -> DrillOutcome:
        """Restore, look, use the copy, keep it as long as was wished, wipe it, and publish what came of it."""
        published: DrillOutcome | None = None
        self.course.note(self._freshness())
        with self.course.restored() as copy:
            if copy is not None:
                self.course.note(self._recovery_time())
                self.course.extras(copy)
                self._lend(copy)
                if self.order.keep:
                    until = self.clock() + self.order.keep
                    published = self.publish(Wipe(method=_METHOD, is_gone=False, kept_until=until))
                    self._keep(copy, until)
        if published is not None:
            return published
        is_gone = not (self.course.folder and Path(self.course.folder).exists())
        return self.publish(Wipe(method=_METHOD, is_gone=is_gone))

    def publish(self, wipe: Wipe) -> DrillOutcome:
        """Write the outcome down where it counts: the ledger, the vault, and a receipt."""
        self.course.note(*never_reached(self.course.checks, self.due))
        outcome = self.outcome(wipe)
        record(self.run, outcome, self.course.sizes)
        self._mark(outcome)
        if self.site.issue is not None:
            self.site.issue(outcome)
        self.progress(say_outcome(outcome))
        for tell in self.site.on_outcome:
            tell(outcome)
        return outcome

    def outcome(self, wipe: Wipe) -> DrillOutcome:
        """Put together what is known by now."""
        manifest, rules = self.chosen.entry.manifest, self.site.database.drill
        return DrillOutcome(
            run_id=self.run.run_id,
            fleet=self.site.fleet.fleet,
            database=self.site.database.name,
            operator=self.subject.actor,
            run_url=self.subject.run_url,
            started_at=self.started_at,
            ended_at=self.clock(),
            selection=self.selection,
            backup=_drilled(self.chosen, self.catalogue.place),
            drill_version=self.course.server_version,
            tools=_tools(self.course.server_version),
            host=platform.node(),
            isolation=self.course.isolation,
            stages=tuple(self.course.stages),
            checks=tuple(self.course.checks),
            due=self.due,
            not_checked=(*not_compared(manifest), *_not_due(self.due), *manifest.remarks),
            rto=self._rto() if self._has_recovered else Target(target=rules.rto, measured=None),
            rpo=self._rpo(),
            wipe=wipe,
            remarks=tuple(self.remarks),
        )

    def say_what_is_newer(self) -> None:
        """Remark which newer backups are no candidates: that an older one is sound must hide none of them."""
        wanted = self.order.backup if self.selection.rule is Rule.CHOSEN else LATEST
        if self.selection.rule not in {Rule.OLDEST, Rule.RANDOM}:
            for found in self.catalogue.passed_over(wanted, self.chosen.entry):
                self.remarks.append(f"{found[:1].upper()}{found[1:]}.")
                self.progress(self.remarks[-1])

    def proven_before(self) -> CatalogueEntry | None:
        """Find the newest other backup that a drill has proven."""
        mine = self.chosen.entry.backup_id
        proven = (one for one in self.catalogue.entries if one.state is BackupState.PROVEN and one.backup_id != mine)
        return next(proven, None)

    @property
    def _has_recovered(self) -> bool:
        """Whether the copy came up: the stages of a drill that ended before are no time of a recovery."""
        made = [one for one in self.course.checks if one.outcome is not CheckOutcome.SKIPPED]
        return any(one.name is CheckName.RECOVERY_TIME for one in made)

    def _rto(self) -> Target:
        sizes = [(one.taken_at, one.manifest.source.size) for one in self.catalogue.entries]
        size = self.chosen.entry.manifest.source.size
        return recovery(self.course.stages, self.site.database.drill.rto, size, sizes)

    def _rpo(self) -> Target:
        """Measure from the newest backup that is not known to be bad, or is the one to be looked at."""
        mine = self.chosen.entry
        newest = max(one.taken_at for one in self.catalogue.entries if one is mine or not one.state.is_unfit)
        age = self.started_at - newest
        return Target(
            target=self.site.database.drill.rpo, measured=None if age < -CLOCKS_DIFFER else max(age, timedelta())
        )

    def _freshness(self) -> Check:
        found = self._rpo()
        if found.measured is None:
            return skipped(CheckName.FRESHNESS, "the newest backup is of a later moment than now: a clock is wrong")
        return _in_time(CheckName.FRESHNESS, found)

    def _recovery_time(self) -> Check:
        return _in_time(CheckName.RECOVERY_TIME, self._rto())

    def _lend(self, copy: Copy) -> None:
        """Let others use the copy. What goes wrong there is a remark, and no verdict about the backup."""
        for use in self.site.on_copy:
            try:
                with copy.session() as session:
                    use(session, self.outcome(Wipe(method=_METHOD, is_gone=False)))
            except PgtendError as error:
                self._remark(f"{error.message} [{error.code}]")
            except Exception as error:  # noqa: BLE001 - whatever a guest does, the verdict is about the backup
                self._remark(type(error).__name__)

    def _remark(self, why: str) -> None:
        self.remarks.append(f"The copy could not be used for something else: {why}.")
        self.progress(self.remarks[-1])

    def _keep(self, copy: Copy, until: datetime) -> None:
        """Leave the copy up for a person, who finds the way in a file that only we can read."""
        way_in = write_way_in(copy)
        self.progress(f"the copy stays up until {until:%Y-%m-%d %H:%M} UTC, or until this ends")
        self.progress(f"on this host: PGSERVICEFILE={way_in} psql service=drill")
        threading.Event().wait(max((until - self.clock()).total_seconds(), 0))

    def _mark(self, outcome: DrillOutcome) -> None:
        """Let the vault itself say what is known about the backup now."""
        if outcome.state is None:
            return
        entry = self.chosen.entry
        mark = Mark(
            backup_id=entry.backup_id,
            state=outcome.state,
            at=outcome.ended_at,
            manifest_sha256=entry.manifest_sha256,
            by=f"drill {outcome.run_id}",
        )
        try:
            put_mark(self.vault, entry.manifest, mark)
        except PgtendError as trouble:
            # A drill that found a backup broken must say so, and not that the vault was away or may only be read.
            self.progress(f"the ledger alone says {outcome.state.value}: {trouble.message}")

    def list_anew(self) -> None:
        """Let the ledger's list of backups say what is known now, and not only after the next backup."""
        place = place_in(self.vault, self.selection.vault, self.site.fleet, self.site.database)
        record_listing(self.run, place, clock=self.clock)


def drill_backup(  # noqa: PLR0913 - where, what, on whose behalf; the rest has defaults
    site: DrillSite,
    order: DrillOrder,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    clock: Clock = utc_now,
) -> DrillOutcome:
    """Restore a backup where nothing can be reached, compare everything, and say what that proves.

    The outcome is recorded, marked in the vault and given a receipt before a failure is raised.
    """
    with ledger.run(subject) as run:
        for swept in sweep_leftovers():
            progress(f"removed {swept.name}, which a drill that was killed left behind")
        past, now = past_drills(ledger, site.database.name), clock()
        rule = order.rule or due_rule(site.database, past, now)
        extras = due_extras(site.database.drill, past, now) if order.extras is None else order.extras
        name = vault_for(site.database, rule, past)
        with site.vaults(name) as vault:
            catalogue = read_catalogue(vault, site.fleet.fleet, site.database.name, now)
            course = Course(progress=progress, clock=clock)
            with course.stage(Stage.SELECT):
                chosen = choose(catalogue, rule, order.backup, now, new_run_id(now))
            keys, key_name = keys_for(site, rule, chosen.entry)
            course.begin(
                Setting(
                    vault=vault,
                    entry=chosen.entry,
                    keys=keys,
                    rules=site.database.drill,
                    extras=extras,
                    answers=last_answers(ledger, site.database.name),
                    sandbox=site.sandbox,
                )
            )
            drill = _Drill(
                site=site,
                order=order,
                run=run,
                subject=subject,
                progress=progress,
                clock=clock,
                vault=vault,
                catalogue=catalogue,
                chosen=chosen,
                selection=chosen.selection(rule, vault=name, key_name=key_name),
                course=course,
                due=ALWAYS | extras,
                started_at=now,
            )
            progress(f"{site.database.name}: drilling {chosen.entry.backup_id}, {rule.meaning}")
            drill.say_what_is_newer()
            lease = Lease.begun(chosen.entry.backup_id, "drilled", subject.actor, now)
            with in_use(vault, chosen.entry.manifest, lease, progress):
                outcome = drill.go()
            drill.list_anew()
        raise_if_failed(outcome, site.database.drill.warn_before, drill.proven_before())
        return outcome


def keys_for(site: DrillSite, rule: Rule, entry: CatalogueEntry) -> tuple[PrivateKeys | None, str]:
    """Choose the private keys that a drill may use, and name the recipient whose one opens the backup.

    A drill by the rule of the escrow key uses that one alone: that another one fits would prove nothing, and a backup
    that needs none would prove no more.
    """
    if rule is Rule.ESCROW_KEY and not entry.manifest.encryption.is_sealed:
        raise NothingSealed(
            f"backup {entry.backup_id} is not encrypted, so the key in escrow cannot be proved by it",
            hint="Take `unencrypted` out of the fleet file and run `pgtend backup`; then drill again.",
        )
    keys, wanted = site.keys, site.database.drill.escrow_recipient
    recipients = entry.manifest.encryption.recipients
    if keys is not None and rule is Rule.ESCROW_KEY:
        escrow = {one.public_key for one in recipients if one.name == wanted}
        keys = PrivateKeys(tuple(pair for pair in keys.pairs if pair.public in escrow))
    fitting = (one.name for one in recipients if keys is not None and keys.fits([one.public_key]))
    return keys, next(fitting, "")


def write_way_in(copy: Copy) -> Path:
    """Write down how a person gets into the copy, where nobody else can read it."""
    address = copy.superuser
    password = address.password.get_secret_value() if address.password else ""
    lines = [f"{name}={value}" for name, value in {**address.params, "password": password}.items()]
    path = copy.server.folder / "way-in.conf"
    path.touch(mode=0o600)
    path.write_text("\n".join(["[drill]", *lines, ""]), encoding="utf-8")
    return path


def _in_time(name: CheckName, target: Target) -> Check:
    took = max(filter(None, (target.measured, target.predicted)), default=timedelta())
    make = failed if target.is_missed else passed
    limit = say_span(target.target) if target.target else "any time"
    return make(name, expected=f"at most {limit}", found=say_span(took))


def _drilled(chosen: Chosen, place: str) -> DrilledBackup:
    manifest = chosen.entry.manifest
    return DrilledBackup(
        backup_id=manifest.backup_id,
        manifest_sha256=chosen.entry.manifest_sha256,
        place=place,
        taken_at=manifest.snapshot.taken_at,
        lsn=manifest.snapshot.lsn,
        system_identifier=manifest.source.system_identifier,
        source_version=manifest.source.version_text,
        source_size=manifest.source.size,
        plain_size=manifest.plain_size,
        stored_size=manifest.stored_size,
        parts=len(manifest.parts),
        tables=len(manifest.tables),
        rows=manifest.rows,
    )


def _tools(server_version: str) -> dict[str, str]:
    found = {"pgtend": version("pgtend"), "python": platform.python_version(), "pyrage": version("pyrage")}
    found["zstd"] = ".".join(str(number) for number in zstandard.ZSTD_VERSION)
    if server_version:
        found["pg_restore"] = ClientTools.find(int(server_version.partition(".")[0])).version_text
    image = os.environ.get("PGTEND_IMAGE", "")
    return {**found, **({"image": image} if image else {})}


def _not_due(due: frozenset[CheckName]) -> tuple[str, ...]:
    names = [name.value for name in CheckName if name in AT_TIMES - due]
    return (f"Not due this time: {', '.join(names)}.",) if names else ()
