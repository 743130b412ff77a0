"""Sessions that work side by side and stop together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from pgtend.kernel.errors import PgtendError
from pgtend.planner.model import Decision
from pgtend.planner.report import TableResult
from pgtend.postgres.session import Session

_MOST_TABLES = 20
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Crew:
    """Several sessions on one database."""

    sessions: Sequence[Session]

    def each(
        self,
        work: Callable[[Session, Sequence[Decision]], Sequence[TableResult]],
        decisions: Sequence[Decision],
        keep: Callable[[Sequence[TableResult]], None],
    ) -> None:
        """Do the work for all decisions, in their order, and keep results as they come, in the caller's thread.

        Small tables go by the dozen, for the questions about a table cost more than its ANALYZE.

        Whatever interrupts the caller, a signal too, cancels every session before it travels on.
        """
        idle: SimpleQueue[Session] = SimpleQueue()
        for session in self.sessions:
            idle.put(session)

        def some(batch: Sequence[Decision]) -> Sequence[TableResult]:
            session = idle.get()
            try:
                return work(session, batch)
            finally:
                idle.put(session)

        with ThreadPoolExecutor(len(self.sessions), thread_name_prefix="analyze") as pool:
            futures = [pool.submit(some, batch) for batch in batches(decisions, len(self.sessions))]
            try:
                for future in as_completed(futures):
                    keep(future.result())
            except BaseException:
                self._stop(futures)
                raise

    def _stop(self, futures: Sequence[Future[Sequence[TableResult]]]) -> None:
        running = {future for future in futures if not future.cancel()}
        # Again and again: a cancel that arrives between two statements stops neither.
        while wait(running, timeout=0).not_done:
            for session in self.sessions:
                # A server that cannot be told notices by itself that we are gone.
                with suppress(PgtendError):
                    session.cancel()
            wait(running, timeout=0.2)


def batches(decisions: Sequence[Decision], sessions: int) -> list[list[Decision]]:
    """Put small tables together, in their order, several batches for each session; a large one goes alone."""
    most = max(1, min(_MOST_TABLES, len(decisions) // (4 * sessions)))
    made: list[list[Decision]] = []
    room = 0
    for decision in decisions:
        size = decision.table.facts.size + decision.table.facts.children_size
        if not made or size > room or len(made[-1]) == most:
            made.append([])
            room = _MOST_BYTES
        made[-1].append(decision)
        room -= size
    return made
