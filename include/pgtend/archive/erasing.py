"""Deletes one person from the live tables, from their archives, and from the months in the vault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pgtend.archive.cold import cold_of
from pgtend.archive.erasures import Erasure, matching
from pgtend.archive.memory import holds_of, units_of
from pgtend.archive.restoring import Desk, alone, thaw
from pgtend.archive.seal import catch_up
from pgtend.archive.tables import partition_of
from pgtend.kernel.names import counted
from pgtend.postgres.identifiers import Composable, all_of, expression
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows went."""

    gone: int
    known: int


ERASE_ROWS = query(__package__ or "", "erase_rows", Erased)
ERASE_LIVE_ROWS = query(__package__ or "", "erase_live_rows", Erased)


@dataclass(slots=True)
class ErasureReport:
    """What was deleted, and what waits."""

    live: int = 0
    archived: int = 0
    held: list[str] = field(default_factory=list[str])
    """Months that the law holds: nobody may delete from them."""
    waiting: list[str] = field(default_factory=list[str])
    """Months that only the vault has and no key at hand opens. Whoever brings one back does so without the person."""

    def add(self, others: Iterable[ErasureReport]) -> None:
        """Count what was done elsewhere too."""
        for other in others:
            self.live += other.live
            self.archived += other.archived
            self.held += other.held
            self.waiting += other.waiting

    def __str__(self) -> str:
        law = f"; held by law: {', '.join(self.held)}" if self.held else ""
        waits = f"; only in the vault, to be erased with a key: {', '.join(self.waiting)}" if self.waiting else ""
        return f"{counted(self.live, 'row')} live, {self.archived:,} archived{law}{waits}"


def erase(desk: Desk, erased: Erasure) -> ErasureReport:
    """Delete one person's rows of one table wherever they are; doing it again is harmless."""
    report = ErasureReport()
    catch_up(desk.shelf)
    condition = all_of([matching(desk.person, erased), *_free_by_law(desk)])
    report.live = desk.session.row(ERASE_LIVE_ROWS, table=desk.shelf.names.live, condition=condition).gone
    _erase_archive(desk, erased, report)
    desk.progress(f"{desk.shelf.names}: {report}")
    return report


def _free_by_law(desk: Desk) -> Iterator[Composable]:
    """Say that a live row is of no month that the law holds: late rows of one are there, and what was brought back."""
    held = {hold.month for hold in holds_of(desk.session, desk.shelf.names) if hold.is_legal}
    for month in sorted(held):
        yield expression("{within} IS NOT TRUE", within=desk.shelf.layout.within(month))


def _erase_archive(desk: Desk, erased: Erasure, report: ErasureReport) -> None:
    """Erase what is in the archive; a month that the vault has too is stored anew by the next run."""
    names = desk.shelf.names
    lonely = {cold.month for cold in cold_of(desk.session, names) if cold.state == "alone"}
    for known in units_of(desk.session, names):
        unit = known
        if unit.is_held_by_law:
            report.held.append(f"{names} {unit.label}")
            continue
        if unit.month in lonely:
            if desk.keys is None:
                report.waiting.append(f"{names} {unit.label}")
                continue
            # It comes back without anybody whose erasure is on record, this person too.
            before = sum(cold.rows for cold in alone(desk.session, names, unit.month))
            unit = thaw(desk, unit.month)
            report.archived += max(before - unit.rows, 0)
        if unit.stands.is_in_database:
            report.archived += desk.session.row(
                ERASE_ROWS,
                {"source_id": unit.source_id, "month": unit.month},
                table=partition_of(unit),
                condition=matching(desk.person, erased),
                hashed=desk.shelf.layout.hashed,
            ).gone
