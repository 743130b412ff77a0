"""Finds out how many rows of a table are old enough, of which months, and between which pages they lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from pgtend.archive.facts import COUNT_DUE, HoldFacts, LeafFacts
from pgtend.archive.memory import units_of
from pgtend.archive.model import DueMonth
from pgtend.archive.preflight import Reading
from pgtend.fleet.model import ArchiveMode, Referenced
from pgtend.postgres.identifiers import Composable, Identifier, all_of, expression, number, relation
from pgtend.postgres.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How large tables are read in part. What that misses, the sweeps behind the walk find."""

    from_blocks: int = 16_384
    """How large: 128 MB."""
    one_in: int = 20
    """How many pages one page stands for."""
    enough: int = 10_000
    """How many old rows a sample must hold: one with fewer says too little, and little is counted."""

    def in_the_whole(self, month: DueMonth, blocks: int) -> DueMonth:
        """Say of the whole table what was seen of it: two figures, and a few pages beyond the outermost rows."""
        rows, beyond = month.rows * self.one_in, 10 * self.one_in
        return DueMonth(
            month=month.month,
            rows=round(rows, 2 - len(str(rows))),
            first_block=max(month.first_block - beyond, 0),
            last_block=min(month.last_block + beyond, blocks - 1),
        )


SAMPLING = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafDue:
    """What is old enough in one table that holds rows."""

    leaf: LeafFacts
    months: Sequence[DueMonth]
    whole: date | None = None
    """The month that this partition is, where it leaves as a whole."""
    is_counted: bool = True
    """Whether every row was counted, and not those of some pages alone."""

    @property
    def rows(self) -> int:
        """How many rows would leave."""
        return sum(month.rows for month in self.months)

    @property
    def share(self) -> int:
        """Guess how much of a table's heap its old rows are: by the pages between the first and the last of them."""
        if not self.months:
            return 0
        pages = max(m.last_block for m in self.months) - min(m.first_block for m in self.months) + 1
        return min(self.leaf.size, int(self.leaf.size * pages / max(self.leaf.blocks, 1)))


def condition_of(reading: Reading, cutoff: date, holds: Iterable[HoldFacts]) -> Composable:
    """Say which rows of a table may leave."""
    unreferenced = _unreferenced(reading) if reading.rule.referenced is Referenced.KEEP else ()
    held = sorted({hold.month for hold in holds})
    return reading.layout.due(cutoff, held, *unreferenced)


def look(
    session: Session, reading: Reading, cutoff: date, holds: Sequence[HoldFacts], sampling: Sampling | None
) -> Iterator[LeafDue]:
    """Find what is old enough, in every table that holds rows."""
    detaches = reading.rule.mode is not ArchiveMode.MOVE and reading.may_detach
    archived = {unit.month for unit in units_of(session, reading.names) if unit.stands.is_in_database}
    held = {hold.month for hold in holds}
    for leaf in reading.leaves:
        month = reading.month_of(leaf) if detaches else None
        if month is not None and month >= cutoff:
            continue
        due = count_due(session, reading, leaf, condition_of(reading, cutoff, holds), sampling)
        # A month that left before has a partition for late rows, and those move one by one.
        whole = month if month is not None and month not in archived | held and not _is_landing(reading, leaf) else None
        if due.months or whole:
            yield replace(due, whole=whole)


def count_due(
    session: Session, reading: Reading, leaf: LeafFacts, condition: Composable, sampling: Sampling | None
) -> LeafDue:
    """Count the old rows of a table; of a large one in some of its pages, always the same, where a sample will do."""
    asked = partial(
        session.rows, COUNT_DUE, table=relation(leaf.schema, leaf.name), day=reading.layout.day, due=condition
    )
    if sampling and leaf.blocks >= sampling.from_blocks:
        share = number(100 // sampling.one_in)
        found = asked(sampled=expression("TABLESAMPLE SYSTEM ({share}) REPEATABLE (1)", share=share))
        if sum(month.rows for month in found) >= sampling.enough:
            told = [sampling.in_the_whole(month, leaf.blocks) for month in found]
            return LeafDue(leaf=leaf, months=told, is_counted=False)
    return LeafDue(leaf=leaf, months=asked(sampled=expression("")))


def _is_landing(reading: Reading, leaf: LeafFacts) -> bool:
    month = reading.month_of(leaf)
    return month is not None and leaf.name == reading.names.landing_name(month)


def _unreferenced(reading: Reading) -> Iterator[Composable]:
    """Say that nothing points at a row, for each foreign key that could."""
    for one in reading.references:
        pairs = zip(one.columns, one.referenced, strict=True)
        same = all_of(
            expression("pointing.{child} = old.{parent}", child=Identifier(child), parent=Identifier(parent))
            for child, parent in pairs
        )
        yield expression(
            "NOT EXISTS (SELECT FROM {child} AS pointing WHERE {same})",
            child=relation(one.child_schema, one.child_name),
            same=same,
        )
