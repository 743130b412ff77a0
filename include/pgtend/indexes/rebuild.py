"""Rebuilds one index under supervision, clears what is left over, and proves what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.errors import NotRebuilt
from pgtend.indexes.leftovers import TableIndex, drop_leftovers, indexes_of, left_behind
from pgtend.indexes.model import Decision
from pgtend.indexes.preflight import look_before
from pgtend.indexes.report import Outcome, Rebuilt
from pgtend.indexes.supervisor import Bounds, Supervisor
from pgtend.indexes.verify import check_structure, live_index, prove_same
from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import LockedOut, StatementCancelled, StatementTimeout, TransactionLost
from pgtend.postgres.identifiers import relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

_PATIENCE_TO_REMOVE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class SetUp:
    """The settings of a session that rebuilds, as the server took them."""

    lock_timeout: str
    statement_timeout: str
    memory: str
    workers: str


@dataclass(frozen=True, slots=True)
class WalPosition:
    """Where the server writes in its WAL."""

    position: int


SET_UP_REBUILD = query(__package__ or "", "set_up_rebuild", SetUp)
READ_WAL_POSITION = query(__package__ or "", "read_wal_position", WalPosition)
REINDEX_INDEX = command(__package__ or "", "reindex_index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Two sessions on the primary and one on each standby, and what a rebuild may take."""

    worker: Session
    watcher: Session
    standbys: Sequence[Session]
    rules: IndexRules
    progress: Progress
    ends_at: float | None
    workers: int
    cost_of: Callable[[Session, str], float | None] = field(default=lambda _session, _table: None)
    """What the planner thinks the top statements of a table cost; None when nobody knows them."""

    def rebuild(self, decision: Decision) -> Rebuilt:
        """Rebuild one index; whatever happens, what it left is cleared."""
        facts = decision.index.facts
        began = time.monotonic()
        try:
            look_before(self.watcher, self.standbys, facts, decision.price, self.rules)
            before = indexes_of(self.watcher, facts.table_oid)
            # Whoever has the name by now is another one, and a rebuild goes by names.
            if facts.oid not in before or before[facts.oid].full_name != facts.full_name:
                return Rebuilt(decision=decision, outcome=Outcome.GONE)
            return self._rebuild(decision, before, began)
        except PgtendError as error:
            took = timedelta(seconds=time.monotonic() - began)
            return Rebuilt(decision=decision, outcome=_outcome_of(error), took=took, error=error)

    def clear(self, leftovers: Sequence[TableIndex]) -> tuple[str, ...]:
        """Remove leftovers, supervised as a rebuild is: removing waits for the same sessions."""
        self._set_up(timedelta(minutes=10))
        return drop_leftovers(self.worker, leftovers, self.guard)

    def guard(self, what: str) -> AbstractContextManager[None]:
        """Watch over the removal of a leftover; it waits for the same sessions, and the next run comes anyway."""
        return self._watch(what, min(self.rules.longest_wait, _PATIENCE_TO_REMOVE))

    @contextmanager
    def _watch(self, what: str, longest_wait: timedelta) -> Generator[None]:
        bounds = Bounds(
            longest_wait=longest_wait,
            lag=self.rules.replica_lag,
            storage=self.rules.storage,
            ends_at=self.ends_at,
        )
        watch = Supervisor(
            watcher=self.watcher,
            worker=self.worker,
            bounds=bounds,
            progress=self.progress,
            what=what,
            standbys=self.standbys,
        )
        with watch.watching():
            yield

    def _rebuild(self, decision: Decision, before: Mapping[int, TableIndex], began: float) -> Rebuilt:
        facts = decision.index.facts
        cost_before = self.cost_of(self.watcher, facts.table_name)
        wal = self.watcher.row(READ_WAL_POSITION).position
        failure = self._reindex(decision, facts.table_oid, before)
        leftover = self._clear_own(facts.full_name, facts.table_oid, before)
        wal = self.watcher.row(READ_WAL_POSITION).position - wal
        took = timedelta(seconds=time.monotonic() - began)
        after = indexes_of(self.watcher, facts.table_oid)
        new = live_index(after, facts.name)
        # The exchange is the last step but two: what fails after it has rebuilt the index all the same.
        if failure is not None and (new is None or new.oid == facts.oid):
            outcome = _outcome_of(failure)
            return Rebuilt(decision=decision, outcome=outcome, took=took, error=failure, wal=wal, leftover=leftover)
        if new is not None and new.oid == facts.oid:
            raise NotRebuilt(
                f"{facts.full_name} was not rebuilt, although the server said so",
                detail="It still has the number it had before.",
                hint="Follow docs/runbooks/index-damaged.md.",
            )
        proven = prove_same(before[facts.oid], new)
        if facts.kind == "btree" and self.rules.check:
            check_structure(self.watcher, facts.full_name, proven.oid)
        return Rebuilt(
            decision=decision,
            outcome=Outcome.PROVED,
            took=took,
            wal=wal,
            size_before=before[facts.oid].size,
            size_after=proven.size,
            cost_before=cost_before,
            cost_after=self.cost_of(self.watcher, facts.table_name),
            leftover=leftover,
        )

    def _reindex(self, decision: Decision, table: int, before: Mapping[int, TableIndex]) -> PgtendError | None:
        """Run the rebuild, and tell what went wrong."""
        facts = decision.index.facts
        self._set_up(2 * decision.price.took if decision.price else timedelta())
        try:
            with self._watch(f"rebuilding {facts.full_name}", self.rules.longest_wait):
                self.worker.run(REINDEX_INDEX, index=relation(facts.schema, facts.name))
        except Outage as error:
            return error
        except BaseException:
            self._clear_in_a_hurry(table, before)
            raise
        return None

    def _clear_own(self, name: str, table: int, before: Mapping[int, TableIndex]) -> PgtendError | None:
        """Remove what our rebuild left; tell why when it has to stay for now."""
        try:
            for gone in drop_leftovers(self.worker, left_behind(before, indexes_of(self.watcher, table)), self.guard):
                self.progress(f"{gone} removed: rebuilding {name} had left it")
        except PgtendError as error:
            self.progress(f"{error.message}: {error.detail}")
            return error
        return None

    def _clear_in_a_hurry(self, table: int, before: Mapping[int, TableIndex]) -> None:
        """Remove what is left although we are being ended; what cannot be removed now, the next run finds."""
        with suppress(PgtendError):
            for index in left_behind(before, indexes_of(self.watcher, table)):
                self._limit_drop()
                drop_leftovers(self.watcher, [index], _unwatched)

    def _limit_drop(self) -> None:
        values = {"statement_timeout": "2s", "memory": "16MB", "workers": "0"}
        self.watcher.row(SET_UP_REBUILD, values)

    def _set_up(self, at_most: timedelta) -> None:
        longest = max(at_most, self.worker.limits.statement_timeout)
        values = {
            "statement_timeout": f"{longest.total_seconds():.0f}s",
            "memory": f"{self.rules.memory // 1024}kB",
            "workers": str(self.workers),
        }
        self.worker.row(SET_UP_REBUILD, values)


@contextmanager
def _unwatched(_what: str) -> Generator[None]:
    yield


def _outcome_of(error: PgtendError) -> Outcome:
    passing = (LockedOut, StatementCancelled, StatementTimeout, TransactionLost)
    return Outcome.POSTPONED if isinstance(error, Outage) and not isinstance(error, passing) else Outcome.FAILED
