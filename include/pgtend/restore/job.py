"""Brings a backup back into a new database, and compares the result with what was backed up."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pgtend.backup.manifest import Manifest
from pgtend.backup.marks import Lease, in_use
from pgtend.backup.record import Role
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import Clock, say_span, utc_now
from pgtend.postgres.errors import MissingRight
from pgtend.postgres.identifiers import database
from pgtend.postgres.process import ToolFailed, ToolKilled
from pgtend.postgres.session import Session
from pgtend.postgres.tools import ClientTools
from pgtend.restore import properties
from pgtend.restore.archive import Backup, Restorer, Spool
from pgtend.restore.compare import Comparison, Kept, compare, kept_fingerprints
from pgtend.restore.early import TableKey, builds_of_tables
from pgtend.restore.model import (
    Aspect,
    Difference,
    Load,
    Owners,
    RestoreOrder,
    RestoreReport,
    plan_loads,
    restored_tables,
)
from pgtend.restore.names import roles_needed, roles_of, tablespaces_needed
from pgtend.restore.selection import listed, passes, script_of_database, without_links
from pgtend.restore.server import (
    CREATE_ROLE,
    READ_ROLE_NAMES,
    RENAME_DATABASE,
    Building,
    await_nobody,
    entered,
    read_building,
    refuse_older,
    refuse_taken,
    refuse_unsuited,
    sweep_unfinished,
    unfinished_database,
    way_inside,
)

_REFUSAL = re.compile(r"ERROR: +(.*)")


@dataclass(slots=True)
class Stopwatch:
    """How long each stage took, told as it ends."""

    progress: Progress
    stages: list[tuple[str, timedelta]] = field(default_factory=list[tuple[str, timedelta]])

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Time one stage."""
        began = time.monotonic()
        yield
        took = timedelta(seconds=time.monotonic() - began)
        self.stages.append((name, took))
        self.progress(f"{name}: {say_span(took)}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found out before anything is done."""

    pre_data: Spool
    post_data: Spool
    contents: Sequence[str]
    """The entries of the last section."""
    builds: Mapping[TableKey, Sequence[str]]
    """Those of them that make the indexes and keys of a table."""
    own_script: str
    """What makes the database itself, and nothing that is in it."""
    tools: ClientTools
    missing_roles: tuple[str, ...]
    without_tablespaces: bool
    building: Building
    remarks: tuple[str, ...]


def restore_backup(backup: Backup, order: RestoreOrder, progress: Progress, *, clock: Clock = utc_now) -> RestoreReport:
    """Restore a backup under a new name; the name appears only when everything is there and was compared.

    What differs is in the report: a restore that is not identical is still better than none on the worst day.
    """
    order.refuse_impossible()
    manifest = backup.entry.manifest
    loads = plan_loads(manifest, order)
    with ExitStack() as life:
        now = clock()
        watch = Stopwatch(progress)
        life.enter_context(
            in_use(backup.vault, manifest, Lease.begun(manifest.backup_id, "restored", order.by, now), progress)
        )
        with entered(order.target) as server:
            refuse_older(server, manifest.source)
            refuse_taken(server, order.name)
            sweep_unfinished(server, now, progress)
            with watch.stage("read the schema"):
                plan, kept = life.enter_context(_planned(backup, server, order))
            refuse_unsuited(server, manifest, () if order.owners is Owners.CREATE else plan.missing_roles)
            _create_roles(server, plan, order, progress)
        rules = properties.sorting_rules(plan.own_script)
        with unfinished_database(order.target, manifest.source, now, rules) as unfinished:
            place = way_inside(server, unfinished)
            with entered(order.target) as server:
                properties.apply_over_values(server, properties.properties_of(plan.own_script, unfinished))
            restorer = Restorer(plan.tools, place, order.owners, plan.without_tablespaces, plan.building.settings)
            # Held open as a sign of life: an unfinished database without a session belongs to a killed restore.
            with entered(place), _saying_how_without_rights():
                lacking = _fill(backup, restorer, plan, order, loads, watch)
                with watch.stage("compare with the manifest"):
                    found = compare(manifest, kept, place, restored_tables(manifest, order), order)
            remarks = _finish(unfinished, plan, order)
    found = replace(found, differences=(*lacking, *found.differences))
    return _report(manifest, order, found, (*plan.remarks, *remarks), watch)


@contextmanager
def _planned(backup: Backup, server: Session, order: RestoreOrder) -> Generator[tuple[Plan, Kept]]:
    """Fetch all that is small, so that none of it is missed after hours, and compare its needs with the server."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as crew:
        kept = crew.submit(kept_fingerprints, backup)
        with backup.spooled(Role.PRE_DATA, Role.POST_DATA, Role.GLOBALS) as (before, after, globals_):
            yield _plan(server, order, before, after, globals_), kept.result()


def _plan(server: Session, order: RestoreOrder, before: Spool, after: Spool, globals_: Spool) -> Plan:
    plain = Restorer(ClientTools.find(server.facts.major), server.address, order.owners)
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="read") as crew:
        making, listing = crew.submit(plain.script, before), crew.submit(plain.contents, after)
        own = crew.submit(script_of_database, plain, before)
        last = plain.script(after)
        names = server.row(READ_ROLE_NAMES)
        building = read_building(server, order.jobs)
    script = last + making.result() + own.result()
    known = roles_of(globals_.text)
    needed = roles_needed(script, known) if order.owners is not Owners.IGNORE else frozenset[str]()
    lost = sorted(tablespaces_needed(script) - set(names.tablespaces))
    remarks = (f"everything is in the default tablespace: there is no {', '.join(lost)} here",) if lost else ()
    return Plan(
        pre_data=before,
        post_data=after,
        contents=listing.result(),
        builds=builds_of_tables(listing.result(), last),
        own_script=own.result(),
        tools=plain.tools,
        missing_roles=tuple(sorted(needed - set(names.roles))),
        without_tablespaces=bool(lost),
        building=building,
        remarks=remarks,
    )


def _create_roles(server: Session, plan: Plan, order: RestoreOrder, progress: Progress) -> None:
    if order.owners is Owners.CREATE:
        for role in plan.missing_roles:
            server.run(CREATE_ROLE, role=database(role))
            progress(f"made the role {role}, without a login")


@contextmanager
def _saying_how_without_rights() -> Generator[None]:
    """Say what a person may do whose role may not make everything that is in the backup."""
    try:
        yield
    except MissingRight as refusal:
        refusal.hint = "Nothing was left behind. --no-owner does without owners and rights."
        raise


def _fill(  # noqa: PLR0913, PLR0917 - from where, by whom, what, and who is told
    backup: Backup, restorer: Restorer, plan: Plan, order: RestoreOrder, loads: Sequence[Load], watch: Stopwatch
) -> tuple[Difference, ...]:
    """Bring everything into the empty database, in the order of the sections; tell what could not be built on rows."""
    with watch.stage("make tables, types and functions"):
        restorer.replay(plan.pre_data, "pre-data")
    with watch.stage(f"load {_amount(loads)} in {len(loads)} streams, and index what is loaded"):
        built = _load(backup, restorer, plan, loads, jobs=order.jobs, progress=watch.progress)
    with watch.stage("build indexes, constraints and triggers"):
        lacking = _finish_tables(backup.entry.manifest, restorer, plan, order, built)
    with watch.stage("give the planner statistics"):
        restorer.analyze(order.jobs)
    return lacking


def _amount(loads: Sequence[Load]) -> Bytes:
    return Bytes(sum(load.part.plain_size for load in loads))


def _finish_tables(
    manifest: Manifest, restorer: Restorer, plan: Plan, order: RestoreOrder, built: Collection[str]
) -> tuple[Difference, ...]:
    """Build what is left. Rows that are there are worth more than a view that cannot be: that is a difference."""
    failures: list[PgtendError] = []
    left = [line for line in plan.contents if line not in built]
    chosen = without_links(left) if order.tables else left
    has_partitions = any(one.kind == "partitioned table" and one.count for one in manifest.inventory)
    for one in passes(chosen, order.jobs, has_partitions=has_partitions):
        with _collecting(failures):
            _replay(restorer, plan, one.entries, one.jobs)
    return tuple(_lacking(failure) for failure in failures)


@contextmanager
def _collecting(failures: list[PgtendError]) -> Generator[None]:
    """Go on after what the server refused to build. What was killed or cut off is no such refusal."""
    try:
        yield
    except ToolKilled:
        raise
    except (ToolFailed, MissingRight) as failure:
        failures.append(failure)


def _lacking(failure: PgtendError) -> Difference:
    said = "; ".join(dict.fromkeys(_REFUSAL.findall(failure.detail))) or failure.message
    return Difference(
        aspect=Aspect.INVENTORY,
        what=f"indexes, constraints, triggers and views ({said})",
        backup="all",
        restored="not all",
    )


def _replay(restorer: Restorer, plan: Plan, chosen: Sequence[str], jobs: int = 1) -> None:
    """Run entries of the last section; where one fails all others are tried."""
    if chosen:
        with listed(chosen) as entries:
            restorer.replay(plan.post_data, "post-data", jobs=jobs, listed=entries, goes_on=True)


def _load(  # noqa: PLR0913 - from where, by whom, what, in which order, by how many, and who is told
    backup: Backup, restorer: Restorer, plan: Plan, loads: Sequence[Load], *, jobs: int, progress: Progress
) -> frozenset[str]:
    """Load several parts at a time, and index each table as soon as it has its rows; tell which entries that ran.

    Loads come first, so that the largest begins at once: an index waits until a hand is free, and the last table is the
    only one that is indexed when nobody loads any more. After the first failure nothing further begins; an index that
    cannot be built is tried again with all that is left.
    """
    refused: list[str] = []

    def load(one: Load) -> Sequence[str]:
        restorer.load(backup, one)
        return [line for table in one.names for line in plan.builds.get(table, ())]

    def build(line: str) -> Sequence[str]:
        failures: list[PgtendError] = []
        with _collecting(failures):
            _replay(restorer, plan, [line])
            progress(f"built {line.split(' ', 3)[-1]}")
        refused.extend(line for _ in failures)
        return ()

    built: set[str] = set()
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="restore") as crew:
        working = {crew.submit(load, one) for one in loads}
        try:
            while working:
                done, working = wait(working, return_when=FIRST_COMPLETED)
                ready = [line for future in done for line in future.result()]
                built.update(ready)
                working |= {crew.submit(build, line) for line in ready}
        except BaseException:
            crew.shutdown(wait=False, cancel_futures=True)
            raise
    return frozenset(built.difference(refused))


def _finish(unfinished: str, plan: Plan, order: RestoreOrder) -> tuple[str, ...]:
    """Give the database its own rights and settings, and last of all its name."""
    with entered(order.target) as server:
        refused = properties.apply(server, properties.properties_of(plan.own_script, unfinished))
        await_nobody(server, unfinished)
        server.run(RENAME_DATABASE, old=database(unfinished), new=database(order.name))
    return tuple(one.replace(unfinished, order.name) for one in refused)


def _report(
    manifest: Manifest,
    order: RestoreOrder,
    found: Comparison,
    remarks: tuple[str, ...],
    watch: Stopwatch,
) -> RestoreReport:
    return RestoreReport(
        backup_id=manifest.backup_id,
        taken_at=manifest.snapshot.taken_at,
        database=order.name,
        place=order.target.to(dbname=order.name).place,
        tables=found.tables,
        rows=found.rows,
        compared=found.compared,
        differences=found.differences,
        remarks=(*remarks, *found.remarks, *manifest.remarks),
        stages=tuple(watch.stages),
    )
