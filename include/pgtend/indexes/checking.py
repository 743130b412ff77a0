"""Verifies the structure of indexes, as many as the time allows, and names those that nobody can use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pgtend.fleet.model import Database
from pgtend.indexes.errors import IndexDamaged, IndexInvalid
from pgtend.indexes.facts import RECORD_INDEX_CHECK, IndexFacts
from pgtend.indexes.usage import collect_indexes
from pgtend.indexes.verify import Depth, check_structure
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.errors import LockedOut, StatementTimeout
from pgtend.postgres.session import Session, open_session

PIPELINE = "index_check"


class Verdict(StrEnum):
    """How an index was found. Kept and shown as written."""

    SOUND = "sound"
    DAMAGED = "damaged"
    INVALID = "invalid"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCheck:
    """A row of evidence about one index."""

    database: str
    schema_name: str
    table_name: str
    index_name: str
    depth: str
    verdict: str
    took: timedelta | None
    error_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """How the indexes of a database were found."""

    checks: tuple[IndexCheck, ...]
    damage: tuple[IndexDamaged, ...] = ()

    def with_verdict(self, verdict: Verdict) -> tuple[IndexCheck, ...]:
        """List the indexes that were found so."""
        return tuple(check for check in self.checks if check.verdict == verdict.value)

    def __str__(self) -> str:
        amounts = ((len(self.with_verdict(verdict)), verdict) for verdict in Verdict)
        return ", ".join(f"{amount:,} {verdict}" for amount, verdict in amounts if amount) or "no indexes"

    def raise_if_not_sound(self) -> None:
        """Page someone for damage; say which indexes nobody can use."""
        if self.damage:
            raise self.damage[0]
        invalid = [f"{check.schema_name}.{check.index_name}" for check in self.with_verdict(Verdict.INVALID)]
        if invalid:
            raise IndexInvalid(
                f"no query can use {counted(len(invalid), 'index')}, and every write keeps what is invalid up to date",
                detail=f"Invalid: {', '.join(invalid[:20])}.",
                hint="Leftovers of rebuilds go with `pgtend reindex`; else see docs/runbooks/index-damaged.md.",
            )


def check_indexes(  # noqa: PLR0913 - the parties of a job
    database: Database,
    address: Address,
    ledger: Ledger,
    subject: Subject,
    progress: Progress,
    *,
    every_row: bool = False,
) -> CheckReport:
    """Verify the B-trees of a database, smallest first so that most are seen, until the time budget is spent."""
    with ledger.run(subject) as run:
        closes_at = time.monotonic() + database.indexes.time_budget.total_seconds()
        with open_session(address, database.limits, application=f"pgtend:{PIPELINE}:{database.name}") as session:
            depth = Depth.EVERY_ROW if every_row else Depth.STRUCTURE
            report = check_every_index(session, database.name, depth, closes_at)
        run.add(RECORD_INDEX_CHECK, report.checks)
        progress(f"{database.name}: {report}")
        report.raise_if_not_sound()
        return report


def check_every_index(session: Session, database: str, depth: Depth, closes_at: float) -> CheckReport:
    """Verify the B-trees in reach of a session, smallest first, until the monotonic time `closes_at`."""
    indexes = [i for i in collect_indexes(session, "").indexes if not (i.is_temporary or i.is_partitioned)]
    by_size = sorted(indexes, key=lambda index: index.size)
    found = [_check(session, database, index, closes_at, depth) for index in by_size]
    damage = tuple(error for _, error in found if error is not None)
    return CheckReport(checks=tuple(check for check, _ in found), damage=damage)


def _check(
    session: Session, database: str, index: IndexFacts, closes_at: float, depth: Depth
) -> tuple[IndexCheck, IndexDamaged | None]:
    verdict, took, damage = Verdict.NOT_SEEN, None, None
    if not index.is_valid:
        verdict = Verdict.INVALID
    elif index.kind == "btree" and time.monotonic() < closes_at:
        try:
            took = check_structure(session, index.full_name, index.oid, depth)
            verdict = Verdict.SOUND if took is not None else Verdict.NOT_SEEN
        except IndexDamaged as error:
            verdict, damage = Verdict.DAMAGED, error
        except (LockedOut, StatementTimeout):
            verdict = Verdict.NOT_SEEN
    check = IndexCheck(
        database=database,
        schema_name=index.schema,
        table_name=index.table_name,
        index_name=index.name,
        depth=depth.value,
        verdict=verdict.value,
        took=took,
        error_code=damage.code if damage else "",
    )
    return check, damage
