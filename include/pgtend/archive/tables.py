"""The archive as tables: monthly partitions, the rights and policies of the live table, and a view over both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pgtend.archive.columns import Layout
from pgtend.archive.facts import READ_COLUMNS, ColumnFacts, SourceFacts
from pgtend.archive.memory import open_unit
from pgtend.archive.model import State, Unit, month_after
from pgtend.archive.names import SCHEMA, Names
from pgtend.postgres.identifiers import Composable, column, columns, from_catalogue, relation, text
from pgtend.postgres.identifiers import database as role_named
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a view that is there."""

    oid: int
    kind: str
    has_policies: bool
    is_partition: bool
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy by which rows may be read."""

    name: str
    kind: str
    roles: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who may read a table, or only some columns of it."""

    role: str
    columns: Sequence[str]


READ_RELATION = query(__package__ or "", "read_relation", Relation)
READ_POLICIES = query(__package__ or "", "read_policies", Policy)
READ_READERS = query(__package__ or "", "read_readers", Reader)
CREATE_PARENT = command(__package__ or "", "create_parent")
DESCRIBE_ARCHIVE = command(__package__ or "", "describe_archive")
GIVE_TO_OWNER = command(__package__ or "", "give_to_owner")
OPEN_SCHEMA_TO = command(__package__ or "", "open_schema_to")
CREATE_MONTH = command(__package__ or "", "create_month")
ATTACH_MONTH = command(__package__ or "", "attach_month")
GUARD_ROWS = command(__package__ or "", "guard_rows")
UNGUARD_ROWS = command(__package__ or "", "unguard_rows")
CREATE_POLICY = command(__package__ or "", "create_policy")
DROP_POLICY = command(__package__ or "", "drop_policy")
GRANT_READING = command(__package__ or "", "grant_reading")
GRANT_READING_COLUMNS = command(__package__ or "", "grant_reading_columns")
REVOKE_READING = command(__package__ or "", "revoke_reading")
CREATE_WHOLE_VIEW = command(__package__ or "", "create_whole_view")
DROP_WHOLE_VIEW = command(__package__ or "", "drop_whole_view")


def find(session: Session, schema: str, name: str) -> Relation | None:
    """Look for a relation by its name."""
    return next(iter(session.rows(READ_RELATION, {"schema": schema, "name": name})), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The archive of one table."""

    session: Session
    source_id: int
    names: Names
    facts: SourceFacts
    layout: Layout

    def prepare(self) -> None:
        """Make the archive and the view where they are missing; exactly those read them who read the live table."""
        with self.session.transaction():
            archive = find(self.session, self.names.schema, self.names.archive_name)
            if archive is None:
                self._create()
            self._follow_rights()

    def make_months(self, months: Iterable[date], units: Sequence[Unit]) -> None:
        """Make the tables of months that take rows, each together with its place in the ledger."""
        there = {unit.month for unit in units if unit.stands.is_in_database}
        for month in months:
            if month not in there:
                with self.session.transaction():
                    self._make_month(month)

    def attach(self, month: date, partition: Composable) -> None:
        """Make a table a month of the archive."""
        low, high = self.bounds(month)
        self.session.run(ATTACH_MONTH, archive=self.names.archive, partition=partition, low=low, high=high)

    def bounds(self, month: date) -> tuple[Composable, Composable]:
        """Say where a month begins and where it ends."""
        return self.layout.start_of(month), self.layout.start_of(month_after(month))

    def own(self, table: Composable) -> None:
        """Give a table to the owner of the live one."""
        self.session.run(GIVE_TO_OWNER, table=table, role=role_named(self.facts.owner))

    def give(self, table: Composable) -> None:
        """Give a table to the owner of the live one, and close it to everybody else."""
        self.own(table)
        self.session.run(GUARD_ROWS, table=table)

    def archived_columns(self) -> Sequence[ColumnFacts]:
        """List the columns of the archive: it keeps those that its table lost."""
        archive = find(self.session, self.names.schema, self.names.archive_name)
        return self.session.rows(READ_COLUMNS, {"relation": archive.oid}) if archive else ()

    def _make_month(self, month: date) -> None:
        open_unit(self.session, self.source_id, self.names, month, self.layout.described, state=State.MOVING)
        partition = self.names.month(month)
        self.session.run(CREATE_MONTH, partition=partition, archive=self.names.archive)
        self.attach(month, partition)
        self.give(partition)

    def _create(self) -> None:
        owner = role_named(self.facts.owner)
        self.session.run(OPEN_SCHEMA_TO, role=owner)
        self.session.run(
            CREATE_PARENT, archive=self.names.archive, table=self.names.live, time=column(self.layout.by.name)
        )
        self.session.run(DESCRIBE_ARCHIVE, archive=self.names.archive, comment=text(self.names.comment))
        self.session.run(GIVE_TO_OWNER, table=self.names.archive, role=owner)

    def _follow_rights(self) -> None:
        self._make_view()
        live, archive = self._oid(self.names.table), self._oid(self.names.archive_name)
        view = self._oid(self.names.view_name)
        self._follow_policies(live, archive)
        wanted = self.session.rows(READ_READERS, {"relation": live.oid})
        for there, name in ((archive, self.names.archive), (view, self.names.view)):
            self._follow_readers(wanted, there, name)

    def _make_view(self) -> None:
        view = find(self.session, self.names.schema, self.names.view_name)
        found = self.session.rows(READ_COLUMNS, {"relation": view.oid}) if view else []
        shown, wanted = _in_place(found), _in_place(self.layout.columns)
        if set(shown) == set(wanted):
            return
        if view and wanted[: len(shown)] != shown:
            # New columns may follow those that a view has; where one has another name, it cannot be replaced.
            self.session.run(DROP_WHOLE_VIEW, view=self.names.view)
            view = None
        self.session.run(
            CREATE_WHOLE_VIEW,
            view=self.names.view,
            columns=columns(wanted),
            table=self.names.live,
            archive=self.names.archive,
        )
        if view is None:
            self.session.run(GIVE_TO_OWNER, table=self.names.view, role=role_named(self.facts.owner))

    def _follow_policies(self, live: Relation, archive: Relation) -> None:
        wanted = self.session.rows(READ_POLICIES, {"relation": live.oid})
        present = self.session.rows(READ_POLICIES, {"relation": archive.oid})
        if wanted != present:
            for policy in present:
                self.session.run(DROP_POLICY, policy=column(policy.name), table=self.names.archive)
            for policy in wanted:
                self.session.run(
                    CREATE_POLICY,
                    policy=column(policy.name),
                    table=self.names.archive,
                    kind=from_catalogue(policy.kind),
                    roles=from_catalogue(policy.roles),
                    condition=from_catalogue(policy.condition),
                )
        if live.has_policies != archive.has_policies:
            self.session.run(GUARD_ROWS if live.has_policies else UNGUARD_ROWS, table=self.names.archive)

    def _follow_readers(self, wanted: Sequence[Reader], there: Relation, name: Composable) -> None:
        present = self.session.rows(READ_READERS, {"relation": there.oid})
        if present == wanted:
            return
        for reader in present:
            self.session.run(REVOKE_READING, table=name, roles=from_catalogue(reader.role))
        for reader in wanted:
            roles = from_catalogue(reader.role)
            if reader.columns:
                self.session.run(GRANT_READING_COLUMNS, table=name, roles=roles, columns=columns(reader.columns))
            else:
                self.session.run(GRANT_READING, table=name, roles=roles)

    def _oid(self, name: str) -> Relation:
        found = find(self.session, self.names.schema, name)
        if found is None:
            raise LookupError(f"{self.names.schema}.{name} was made a moment ago and is not there")
        return found


def _in_place(found: Sequence[ColumnFacts]) -> list[str]:
    """Name columns in the order in which they stand."""
    return [one.name for one in sorted(found, key=lambda one: one.place)]


def partition_of(unit: Unit) -> Composable:
    """Name the table of an archived month."""
    return relation(SCHEMA, unit.partition)
