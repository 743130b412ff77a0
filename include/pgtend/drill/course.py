"""The course of one drill: stages are timed, checks are written down, and what cannot be gone past ends it."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from pgtend.backup.catalogue import CatalogueEntry
from pgtend.backup.errors import UnreadableManifest
from pgtend.backup.record import Role
from pgtend.drill.byproducts import ExactSizes, measure
from pgtend.drill.canaries import outside
from pgtend.drill.failures import FailureClass
from pgtend.drill.filling import Archives, Filler, Rebuilt
from pgtend.drill.generations import check_control, check_second_generation
from pgtend.drill.looking import (
    check_constraints,
    check_extensions,
    check_indexes,
    check_pages,
    check_rebuild,
    check_rows,
    check_settings,
    check_structure,
    failed,
    passed,
    skipped,
)
from pgtend.drill.model import Check, CheckName, CheckOutcome, Isolation
from pgtend.drill.provision import (
    Copy,
    ScratchTooSmall,
    make_empty,
    memberships_of,
    prepare,
    refuse_full_disk,
    server_for,
)
from pgtend.drill.smoke import check_smoke
from pgtend.drill.stages import Stage, StageTime
from pgtend.fleet.model import DrillRules, LeastIsolation
from pgtend.kernel.errors import Outage, PgtendError, naming_what_is_scarce
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, say_span
from pgtend.postgres.accounts import NoServerAccount, OutOfReach, server_account
from pgtend.postgres.process import ToolFailed, ToolKilled
from pgtend.postgres.sandbox import IsolationLevel, NoSandbox, Sandbox, find_sandbox
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.postgres.tools import ClientTools, ToolMissing
from pgtend.restore.archive import Backup, Restorer
from pgtend.restore.errors import KeyNeeded
from pgtend.restore.model import Load
from pgtend.restore.properties import sorting_rules
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.errors import ObjectDamaged, ObjectMissing
from pgtend.vault.model import Vault
from pgtend.vault.sealing import KeyUnavailable

_LEAST = {
    LeastIsolation.NAMESPACES: IsolationLevel.NAMESPACES,
    LeastIsolation.CONTAINER: IsolationLevel.CONTAINER,
    LeastIsolation.ACCOUNT: IsolationLevel.ACCOUNT,
}
_NO_KEY = (KeyNeeded, KeyUnavailable)
_DAMAGED = (ObjectDamaged, ObjectMissing, UnreadableManifest)
_UNSUITED = (ToolMissing, NoSandbox, NoServerAccount, OutOfReach, ScratchTooSmall)
# What a program of PostgreSQL passes on of a server that has run out of something.
_EXHAUSTED = re.compile(r"No space left on device|out of memory|Cannot allocate memory")


class Over(Exception):
    """The drill cannot go on; what happened is among its checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a drill needs to know before it begins."""

    vault: Vault
    entry: CatalogueEntry
    keys: PrivateKeys | None
    rules: DrillRules
    extras: frozenset[CheckName]
    answers: Mapping[str, Decimal]
    """What smoke queries got in the last drill, by question."""
    sandbox: Sandbox | None = None
    """Instead of the best that is found here."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A copy with everything in it that could be restored."""

    filler: Filler
    copy: Copy
    globals_sql: str
    rebuilt: Rebuilt


@dataclass(slots=True, kw_only=True)
class Course:
    """One drill while it goes on."""

    progress: Progress
    clock: Clock
    _setting: Setting | None = None
    stages: list[StageTime] = field(default_factory=list[StageTime])
    checks: list[Check] = field(default_factory=list[Check])
    isolation: Isolation = field(default=Isolation(level=IsolationLevel.NONE, means="nothing yet"))
    sizes: ExactSizes = field(default=ExactSizes())
    server_version: str = ""
    folder: str = ""

    def begin(self, setting: Setting) -> None:
        """Say what is drilled."""
        self._setting = setting

    @property
    def setting(self) -> Setting:
        """What is drilled."""
        if self._setting is None:
            raise ValueError("a drill begins with its setting")
        return self._setting

    @contextmanager
    def stage(self, stage: Stage, *, size: int | None = None, rows: int | None = None) -> Generator[None]:
        """Time one step, also when it fails."""
        began, moment = time.monotonic(), self.clock()
        self.progress(f"{stage.value} ...")
        try:
            yield
        finally:
            took = timedelta(seconds=time.monotonic() - began)
            self.stages.append(StageTime(stage=stage, started_at=moment, took=took, size=size, rows=rows))
            amount = f", {Bytes(size)}" if size else ""
            self.progress(f"{stage.value}: {say_span(took)}{amount}")

    @contextmanager
    def restored(self) -> Generator[Copy | None]:
        """Restore the backup and look at it; the copy is there until the block ends, or there is none."""
        with ExitStack() as life:
            try:
                copy = self._restore(life)
            except Over:
                copy = None
            yield copy
            # Gone before it is said that it is gone.
            with self.stage(Stage.WIPE):
                life.close()

    def extras(self, copy: Copy) -> None:
        """Do what has a cadence of its own and is due."""
        backup, jobs = self._backup(), self.setting.rules.jobs
        due = self.setting.extras
        if CheckName.SECOND_GENERATION in due:
            with self.stage(Stage.SECOND_GENERATION), self._beside(CheckName.SECOND_GENERATION):
                self._note(check_second_generation(backup, copy, jobs))
        if CheckName.NEGATIVE_CONTROL in due:
            with self.stage(Stage.NEGATIVE_CONTROL), self._beside(CheckName.NEGATIVE_CONTROL):
                self._note(check_control(backup, copy, jobs))

    def note(self, *found: Check) -> None:
        """Write checks down that were made elsewhere."""
        self._note(*found)

    def _restore(self, life: ExitStack) -> Copy:
        with self._past(CheckName.KEY):
            backup = self._backup()
            # The smallest thing that is sealed shows whether the key fits, before a server is started.
            if backup.entry.manifest.encryption.is_sealed:
                backup.content(Role.GLOBALS)
            self._note(passed(CheckName.KEY, expected=_sealed_for(backup), found="opened"))
        with self._past(CheckName.RESTORE):
            server = self._provision(life, backup)
        with self.stage(Stage.ISOLATE), self._past(CheckName.ISOLATION):
            self._prove_isolation(server)
        with self._past(CheckName.EXTENSIONS):
            self._note(check_extensions(server, backup.entry.manifest, self.setting.rules), is_end=True)
        filled = self._fill(life, backup, server)
        self._verify(backup, filled)
        return filled.copy

    def _provision(self, life: ExitStack, backup: Backup) -> ThrowawayServer:
        manifest = backup.entry.manifest
        with self.stage(Stage.PROVISION):
            least = _LEAST[self.setting.rules.isolation]
            sandbox = self.setting.sandbox or find_sandbox(server_account(), least)
            self.isolation = Isolation(level=sandbox.level, means=sandbox.means)
            tools = ClientTools.find(manifest.source.major)
            server = life.enter_context(server_for(tools, sandbox, self.setting.rules.jobs))
            self.folder = str(server.folder)
            refuse_full_disk(server, manifest, 1 + len(self.setting.extras))
            with server.session() as session:
                self.server_version = session.facts.version_text
        return server

    def _prove_isolation(self, server: ThrowawayServer) -> None:
        with outside() as canaries:
            found = canaries.reach_from(server, self.isolation.level)
        self.isolation = Isolation(level=self.isolation.level, means=self.isolation.means, canaries=found)
        reached = [one.what for one in found if one.was_reached]
        counts = {"expected": "0 reached", "found": f"{len(reached)} of {len(found)} reached"}
        if not reached:
            self._note(passed(CheckName.ISOLATION, detail=self.isolation.means, **counts))
        elif self.isolation.level is IsolationLevel.ACCOUNT:
            why = f"the fleet file accepts {self.isolation.means}; reached: {', '.join(reached)}"
            self._note(skipped(CheckName.ISOLATION, why))
        else:
            self._note(failed(CheckName.ISOLATION, detail=f"reached: {', '.join(reached)}", **counts), is_end=True)

    def _fill(self, life: ExitStack, backup: Backup, server: ThrowawayServer) -> Filled:
        manifest = backup.entry.manifest
        with self._past(CheckName.RESTORE):
            with self.stage(Stage.FETCH):
                spools = backup.spooled(Role.PRE_DATA, Role.POST_DATA, Role.GLOBALS)
                before, after, globals_ = life.enter_context(spools)
            globals_sql = globals_.text
            with self.stage(Stage.GLOBALS):
                copy = prepare(server, globals_sql)
                archives = Archives.read(copy, before, after)
                make_empty(copy, manifest, sorting_rules(archives.own_properties))
            self._note(check_settings(copy, manifest, self.setting.rules))
            filler = Filler(copy=copy, manifest=manifest, archives=archives, jobs=self.setting.rules.jobs)
            with self.stage(Stage.PRE_DATA):
                filler.make_schema()
            self._load(backup, filler)
            with self.stage(Stage.POST_DATA):
                rebuilt = filler.build_keys()
            if rebuilt.failure and not rebuilt.breaks_rules:
                raise rebuilt.failure
            self._note(passed(CheckName.RESTORE, expected="no error", found="none"), check_rebuild(rebuilt))
            with self.stage(Stage.ANALYZE):
                filler.analyze()
        return Filled(filler, copy, globals_sql, rebuilt)

    def _load(self, backup: Backup, filler: Filler) -> None:
        manifest = backup.entry.manifest
        parts = sorted(manifest.parts_of(Role.TABLE, Role.REST), key=lambda part: part.plain_size, reverse=True)
        size = sum(part.plain_size for part in parts)

        def bring(restorer: Restorer, load: Load) -> None:
            restorer.load(backup, load)

        with self.stage(Stage.DATA, size=size, rows=manifest.rows):
            filler.load([Load(part) for part in parts], bring)

    def _verify(self, backup: Backup, filled: Filled) -> None:
        manifest, rules, copy = backup.entry.manifest, self.setting.rules, filled.copy
        with self.stage(Stage.VERIFY_DATA, rows=manifest.rows), self._past(CheckName.ROWS):
            self._note(*check_rows(backup, copy.restorer, rules.jobs))
        parts = f"{counted(len(manifest.parts), 'part')}"
        self._note(passed(CheckName.OBJECTS, expected=parts, found=f"{parts} as they were stored"))
        with self.stage(Stage.VERIFY_PAGES), self._past(CheckName.PAGES):
            self._note(check_pages(copy, rules.jobs), check_constraints(copy), check_indexes(copy))
        with self.stage(Stage.OWNERS), self._past(CheckName.GRANTS):
            filled.filler.finish()
        with self.stage(Stage.VERIFY_STRUCTURE), self._past(CheckName.INVENTORY):
            members = memberships_of(filled.globals_sql)
            self._note(*check_structure(backup, copy, filled.filler.archives, members, filled.rebuilt.missing))
        with self.stage(Stage.SMOKE), self._past(CheckName.SMOKE):
            self._note(*check_smoke(copy, rules, manifest.source.owner, self.setting.answers))
        with self.stage(Stage.BY_PRODUCTS), self._past(CheckName.SMOKE):
            self.sizes = measure(copy)

    def _backup(self) -> Backup:
        return Backup(self.setting.vault, self.setting.entry, self.setting.keys)

    def _note(self, *found: Check, is_end: bool = False) -> None:
        self.checks += found
        for check in found:
            self.progress(f"  {check}")
        if is_end and any(check.outcome is CheckOutcome.FAILED for check in found):
            raise Over

    @contextmanager
    def _beside(self, name: CheckName) -> Generator[None]:
        """Let a check beside the restore fail without ending the drill."""
        try:
            with naming_what_is_scarce():
                yield
        except PgtendError as error:
            check = blame(error, name)
            if check is None:
                raise
            self._note(check)

    @contextmanager
    def _past(self, name: CheckName) -> Generator[None]:
        """Turn what cannot be gone past into a failed check of the right class. An outage of others is none."""
        try:
            with naming_what_is_scarce():
                yield
        except PgtendError as error:
            check = blame(error, name)
            if check is None:
                raise
            self._note(check)
            raise Over from error


def blame(error: PgtendError, name: CheckName) -> Check | None:
    """Decide which check an error belongs to, and of which class it is; nothing for an outage of vault or ledger."""
    said = f"{error.message} [{error.code}]"
    if isinstance(error, _NO_KEY):
        return failed(CheckName.KEY, expected="a key that opens it", found="none", detail=said)
    if isinstance(error, _DAMAGED):
        return failed(CheckName.OBJECTS, expected="what was stored", found="something else", detail=said)
    if error.code.startswith(("vault.", "ledger.")):
        return None
    if isinstance(error, _UNSUITED) or _is_of_the_place(error):
        return Check(name=name, outcome=CheckOutcome.FAILED, detail=said, as_failure=FailureClass.ENVIRONMENT)
    return failed(name, expected="no error", found="an error", detail=said)


def _is_of_the_place(error: PgtendError) -> bool:
    """Tell whether the server of the drill gave in, which is no other, or whether it refused what is in the backup.

    A program that ended with an error has passed on such a refusal, unless it was killed or the server had no room.
    """
    if isinstance(error, ToolFailed) and not isinstance(error, ToolKilled):
        return bool(_EXHAUSTED.search(error.detail))
    return isinstance(error, Outage)


def _sealed_for(backup: Backup) -> str:
    names = [one.name for one in backup.entry.manifest.encryption.recipients]
    return f"a key of {', '.join(names)}" if names else "no key: it is not sealed"


def never_reached(checks: Sequence[Check], due: frozenset[CheckName]) -> tuple[Check, ...]:
    """Write down as skipped what the drill did not come to."""
    there = {check.name for check in checks}
    lost = [name for name in CheckName if name in due and name not in there]
    return tuple(skipped(name, "the drill ended before it came to this") for name in lost)
