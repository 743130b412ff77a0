"""What the catalogue says against archiving a table, all at once, and what a person should know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pgtend.archive.columns import TIME_TYPES, Layout
from pgtend.archive.convertible import Obstacle, say_obstacles
from pgtend.archive.facts import ColumnFacts, LeafFacts, ReferenceFacts, SourceFacts, TriggerFacts
from pgtend.archive.model import month_after
from pgtend.archive.names import Names
from pgtend.fleet.model import ArchiveMode, Referenced, TableArchive
from pgtend.kernel.errors import Problem
from pgtend.kernel.names import did_you_mean
from pgtend.kernel.sizes import Bytes

WORTH_CONVERTING = Bytes.parse("100 MB")
"""A table that is smaller is moved in seconds."""
_CLOCKS_AGREE = 1970
"""From here on what is known of zones is the same everywhere."""
OLDEST_MAJOR = 15
"""From here on a view can ask by the rights of whoever reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that is known of one table before anything is done to it."""

    names: Names
    rule: TableArchive
    major: int
    facts: SourceFacts
    columns: Sequence[ColumnFacts]
    references: Sequence[ReferenceFacts] = ()
    triggers: Sequence[TriggerFacts] = ()
    leaves: Sequence[LeafFacts] = ()
    archive_columns: Sequence[ColumnFacts] = ()
    archive_triggers: Sequence[TriggerFacts] = ()
    archived_by: str = ""
    """The column by which its archive is made of months; empty where there is no archive yet."""
    archive_leaves: Sequence[LeafFacts] = ()
    strangers: Sequence[str] = field(default=())
    """Relations that have the name of something of ours, and are not ours."""
    found_in_the_way: Sequence[Obstacle] = field(default=())
    """What the catalogue has against partitioning it."""

    @property
    def layout(self) -> Layout:
        """The columns in the order of their names, and the one that says how old a row is."""
        by = next(one for one in self.columns if one.name == self.rule.by)
        return Layout(columns=self.columns, by=by, zone=self.rule.zone)

    @property
    def may_detach(self) -> bool:
        """Whether whole partitions can leave: one for each month, and nothing the server refuses."""
        return not self.why_not_detach()

    def why_not_detach(self) -> str:
        """Say why months cannot leave as whole partitions; nothing when they can."""
        facts = self.facts
        if not facts.is_partitioned or facts.partitioned_by != self.rule.by:
            return f"it is not partitioned by ranges of {self.rule.by}"
        if facts.has_default:
            return "it has a default partition, beside which PostgreSQL detaches nothing concurrently"
        if self.references:
            return f"{self.references[0].child} points at it"
        if any(one.generated == "v" for one in self.columns):
            return "it has virtual generated columns, which an archive cannot take over"
        if self.rule.zone != "UTC" and self.layout.by.type == "timestamptz":
            return "its months are those of another zone than UTC"
        return ""

    @property
    def converts(self) -> bool:
        """Whether it is to become partitioned."""
        return self.rule.mode is ArchiveMode.CONVERT and not self.facts.is_partitioned

    def obstacles(self) -> Iterator[Obstacle]:
        """List all that keeps it from becoming partitioned."""
        yield from self.found_in_the_way
        yield from (Obstacle(kind="publication", name=name) for name in self.facts.publications)
        if self.rule.zone != "UTC" and self.layout.by.type == "timestamptz":
            yield Obstacle(kind="zone", name="")

    def month_of(self, leaf: LeafFacts) -> date | None:
        """Tell which month a partition is; none when it is none, or more than one."""
        try:
            low, high = date.fromisoformat(leaf.low[:10]), date.fromisoformat(leaf.high[:10])
        except ValueError:
            return None
        midnight = all(_is_midnight(bound) for bound in (leaf.low, leaf.high))
        is_month = leaf.is_first_level and midnight and low.day == 1 and high == month_after(low)
        return low if is_month else None

    def problems(self) -> Iterator[Problem]:
        """List what stands in the way."""
        yield from self._of_the_table()
        yield from self._of_the_column()
        yield from self._of_references()
        yield from self._of_the_archive()
        yield from self._of_rights()
        if self.converts and self._has_its_column:
            for what, hint in say_obstacles(tuple(self.obstacles()), self.rule.by):
                yield self._problem(f"it cannot become partitioned: {what}", hint)
        if self.rule.mode is ArchiveMode.DETACH and self.facts.is_partitioned and self.why_not_detach():
            yield self._problem(f"months cannot be detached: {self.why_not_detach()}", "Write mode: move, or auto.")
        if self.rule.mode is ArchiveMode.DETACH and not self.facts.is_partitioned:
            yield self._problem("there are no partitions to detach", "Write mode: move, or auto.")

    def notes(self) -> Iterator[str]:
        """List what a person should know."""
        yield from self.of_conversion()
        for trigger in self.triggers:
            if trigger.is_per_row and trigger.moment == "BEFORE":
                yield f"trigger {trigger.name} may keep rows from leaving; those stay in the table"
            else:
                yield f"trigger {trigger.name} fires for archived rows; the setting pgtend.archiving is 'on' then"
        for view in self.facts.views:
            yield f"{view} reads the live rows only; {self.names.view_name} shows all"
        if self.facts.publications:
            names = ", ".join(self.facts.publications)
            yield f"subscribers of {names} see archived rows deleted, and do not get the archive"
        if self.references and self.rule.referenced is Referenced.KEEP:
            children = ", ".join(dict.fromkeys(one.child for one in self.references))
            yield f"rows that {children} point at stay until nothing points at them"
        for reference in self.references:
            if self.rule.referenced is Referenced.KEEP and not reference.is_indexed:
                yield f"{reference.child} has no index on {', '.join(reference.columns)}: each batch reads all of it"

    def of_conversion(self) -> Iterator[str]:
        """List what a person should know about a table that becomes partitioned, or could."""
        if self.converts:
            if self.facts.key and self.rule.by not in self.facts.key:
                key = ", ".join([*self.facts.key, self.rule.by])
                yield f"its primary key becomes ({key}): what keeps {self.facts.key[0]} unique is its sequence alone"
            yield "partitions are kept a year ahead by every run; rows that are dated later are refused"
            yield "its name, rights, policies, triggers, views and sequences stay; ON CONFLICT needs the wider key"
        elif self._is_worth_converting and not tuple(self.obstacles()):
            yield (
                "mode: convert would make it partitioned once, in a moment and without moving a row; "
                "later months then leave as whole partitions"
            )

    @property
    def _has_its_column(self) -> bool:
        return any(one.name == self.rule.by for one in self.columns)

    @property
    def _is_worth_converting(self) -> bool:
        large = sum(leaf.size + leaf.index_size for leaf in self.leaves) >= WORTH_CONVERTING
        wanted = self.rule.mode is ArchiveMode.AUTO and self.rule.referenced is Referenced.REFUSE
        return large and wanted and not self.facts.is_partitioned and self._has_its_column

    def _of_the_table(self) -> Iterator[Problem]:
        facts = self.facts
        if self.major < OLDEST_MAJOR:
            yield self._problem(f"PostgreSQL {self.major} is too old for an archive", "Upgrade to 15 or later.")
        if facts.is_fleeting:
            yield self._problem("it is unlogged or temporary", "ALTER TABLE ... SET LOGGED first.")
        if facts.is_partition:
            yield self._problem("it is a partition of another table", "Write the rule for the whole table.")
        if facts.has_heirs:
            yield self._problem("other tables inherit from it", "Write a rule for each of them.")
        if facts.rules:
            yield self._problem(
                f"it has rules: {', '.join(facts.rules)}", "A rule rewrites the statement that moves the rows. Drop it."
            )
        if facts.lacks_identity:
            yield self._problem(
                f"{', '.join(facts.publications)} publishes what is deleted, and nothing tells its rows apart",
                f"Give it a primary key, or: ALTER TABLE {facts.sql_name} REPLICA IDENTITY FULL;",
            )
        if facts.hides_rows:
            yield self._problem(
                "its policies hide rows from us", f"ALTER TABLE {facts.sql_name} NO FORCE ROW LEVEL SECURITY;"
            )

    def _of_the_column(self) -> Iterator[Problem]:
        found = [one for one in self.columns if one.name == self.rule.by]
        if not found:
            hint = did_you_mean(self.rule.by, (one.name for one in self.columns))
            yield self._problem(f"it has no column {self.rule.by}", hint)
        elif found[0].type not in TIME_TYPES:
            yield self._problem(
                f"{self.rule.by} is a {found[0].declared}, and no moment or day", "Name another column in `by`."
            )
        known = {one.name for one in self.columns}
        if self.rule.person is not None and self.rule.person not in known:
            yield self._problem(f"it has no column {self.rule.person}", did_you_mean(self.rule.person, known))

    def _of_references(self) -> Iterator[Problem]:
        if self.rule.referenced is Referenced.KEEP:
            for one in self.references:
                if not one.may_read:
                    grant = f"GRANT SELECT ON {one.child} TO {self.facts.sql_role};"
                    yield self._problem(f"we may not read {one.child}, which points at it", grant)
            return
        for one in self.references:
            what = {
                "CASCADE": "its rows would be deleted with ours, and archived nowhere",
                "SET NULL": "its rows would forget which of ours they belong to",
                "SET DEFAULT": "its rows would forget which of ours they belong to",
            }.get(one.on_delete, "the server would refuse to let our rows go")
            yield self._problem(
                f"{one.child} points at it ({one.name}, ON DELETE {one.on_delete}): {what}",
                "Write referenced: keep, so that rows stay until nothing points at them.",
            )

    def _of_the_archive(self) -> Iterator[Problem]:
        for name in self.strangers:
            yield self._problem(f"{name} exists and was not made by pgtend", "Rename it: the name belongs to pgtend.")
        for trigger in self.archive_triggers:
            if trigger.on_insert:
                yield self._problem(
                    f"trigger {trigger.name} on the archive could change or refuse rows",
                    f"DROP TRIGGER on {self.names.schema}.{self.names.archive_name}.",
                )
        if self.archive_columns:
            yield from self._of_its_months()
            yield from self._drift()

    def _of_its_months(self) -> Iterator[Problem]:
        """Hold the rule against the months that there are: those of another rule would get rows that are not theirs."""
        if self.archived_by != self.rule.by:
            yield self._problem(
                f"its archive is made of months of {self.archived_by}, and the rule says {self.rule.by}",
                f"Write by: {self.archived_by}; or rename it in the archive, if it was renamed in the table.",
            )
        elif self._has_its_column and self.layout.by.type == "timestamptz":
            others = [leaf.name for leaf in self.archive_leaves if not _begins_in(leaf.low, self.rule.zone)]
            if others:
                yield self._problem(
                    f"its archive has months of another zone than {self.rule.zone}, such as {others[0]}",
                    "Write the zone by which they were archived.",
                )

    def _drift(self) -> Iterator[Problem]:
        """Compare by name: the archive must be able to hold every value; what is gone may stay empty."""
        archived = {one.name: one for one in self.archive_columns}
        table = f"{self.facts.sql_schema}.{_quoted(self.names.archive_name)}"
        live = {one.name for one in self.columns}
        for one in self.columns:
            there = archived.get(one.name)
            column = _quoted(one.name)
            if there is None:
                renamed = [
                    f" Or, if it was {old.name}: ALTER TABLE {table} RENAME COLUMN {_quoted(old.name)} TO {column};"
                    for old in self.archive_columns
                    if old.name not in live and old.declared == one.declared
                ]
                yield self._problem(
                    f"column {one.name} is new, and its archive lacks it",
                    f"ALTER TABLE {table} ADD COLUMN {column} {one.declared};{''.join(renamed)}",
                )
            elif there.declared != one.declared:
                yield self._problem(
                    f"column {one.name} is {one.declared} now, and {there.declared} in its archive",
                    f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {one.declared};",
                )
            elif there.is_required and not one.is_required:
                yield self._problem(
                    f"column {one.name} may be empty now, and not in its archive",
                    f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;",
                )
        for one in self.archive_columns:
            if one.is_required and one.name not in live:
                yield self._problem(
                    f"column {one.name} is gone, and its archive cannot do without",
                    f"ALTER TABLE {table} ALTER COLUMN {_quoted(one.name)} DROP NOT NULL;",
                )

    def _of_rights(self) -> Iterator[Problem]:
        facts = self.facts
        if not facts.acts_as_owner or not facts.may_give_to_owner:
            yield self._problem(
                "only its owner may move its months, index them and copy its policies",
                f"GRANT {facts.sql_owner} TO {facts.sql_role};",
            )
        for owner in sorted({leaf.sql_owner for leaf in self.leaves if facts.acts_as_owner and not leaf.acts_as_owner}):
            yield self._problem("a partition of it belongs to somebody else", f"GRANT {owner} TO {facts.sql_role};")
        if not facts.may_create_here:
            yield self._problem(
                f"the archive cannot be made in schema {facts.schema}",
                f"GRANT CREATE ON SCHEMA {facts.sql_schema} TO {facts.sql_role};",
            )
        if not facts.owner_may_create_here:
            yield self._problem(
                "its owner may not have the archive in this schema",
                f"GRANT CREATE ON SCHEMA {facts.sql_schema} TO {facts.sql_owner};",
            )
        if not facts.may_remember:
            yield self._problem(
                "our own tables cannot be made in this database",
                f"GRANT CREATE ON DATABASE {facts.sql_database} TO {facts.sql_role};",
            )

    def _problem(self, what: str, hint: str) -> Problem:
        return Problem(str(self.names), what, hint)


def _is_midnight(bound: str) -> bool:
    """Tell whether a bound is the very beginning of a day, in UTC where it has a zone."""
    return bound[10:] in {"", " 00:00:00", " 00:00:00+00"}


def _begins_in(bound: str, zone: str) -> bool:
    """Tell whether a month begins there in a zone; of times long ago that is taken for granted."""
    try:
        low = datetime.fromisoformat(bound)
    except ValueError:
        return True
    local = low.astimezone(ZoneInfo(zone))
    first = datetime(local.year, local.month, 1, tzinfo=ZoneInfo(zone))
    # An hour that comes twice, or not at all, is taken for either.
    return low.year < _CLOCKS_AGREE or low in {first.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}


def _quoted(name: str) -> str:
    """Write a name so that it can be copied into a statement."""
    return name if name.isidentifier() and name == name.lower() else '"' + name.replace('"', '""') + '"'
