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


@dataclass(frozen=True, slots=True)
class Crew:
    """Several sessions on one database."""

    sessions: Sequence[Session]

    def each(
        self,
        work: Callable[[Session, Decision], TableResult],
        decisions: Sequence[Decision],
        keep: Callable[[TableResult], None],
    ) -> None:
        """Do the work for each decision, in their order, and keep each result as it comes, in the caller's thread.

        Whatever interrupts the caller, a signal too, cancels every session before it travels on.
        """
        idle: SimpleQueue[Session] = SimpleQueue()
        for session in self.sessions:
            idle.put(session)

        def one(decision: Decision) -> TableResult:
            session = idle.get()
            try:
                return work(session, decision)
            finally:
                idle.put(session)

        with ThreadPoolExecutor(len(self.sessions), thread_name_prefix="analyze") as pool:
            futures = [pool.submit(one, decision) for decision in decisions]
            try:
                for future in as_completed(futures):
                    keep(future.result())
            except BaseException:
                self._stop(futures)
                raise

    def _stop(self, futures: Sequence[Future[TableResult]]) -> None:
        running = {future for future in futures if not future.cancel()}
        # Again and again: a cancel that arrives between two statements stops neither.
        while wait(running, timeout=0).not_done:
            for session in self.sessions:
                # A server that cannot be told notices by itself that we are gone.
                with suppress(PgtendError):
                    session.cancel()
            wait(running, timeout=0.2)
