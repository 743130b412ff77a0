"""A crew stops everybody when one fails, and says what went wrong first."""

from __future__ import annotations

import threading

import pytest

from pgtend.backup.crew import Crew
from pgtend.kernel.errors import Outage

_PATIENCE = 30


def test_a_stopper_that_fails_hides_nothing_and_the_others_are_stopped() -> None:
    """What went wrong first is raised, with a note of each stop that failed, and nobody is waited for in vain."""
    crew = Crew()
    ready = threading.Barrier(4)
    released: list[threading.Event] = [threading.Event() for _ in range(3)]

    def wait(which: int, complaint: Exception | None) -> None:
        def stop() -> None:
            released[which].set()
            if complaint:
                raise complaint

        with crew.stoppable(stop):
            ready.wait(_PATIENCE)
            assert released[which].wait(_PATIENCE)

    def fail() -> None:
        ready.wait(_PATIENCE)
        raise Outage("the dump stalled")

    work = [
        lambda: wait(0, Outage("the line is lost", detail="Nobody listens.")),
        lambda: wait(1, RuntimeError("a secret")),
        lambda: wait(2, None),
        fail,
    ]
    with pytest.raises(Outage, match="the dump stalled") as caught:
        crew.work(work, [], parallel=4, readers=[])
    assert all(one.is_set() for one in released)
    assert sorted(caught.value.__notes__) == [
        "Not all of the work could be stopped: RuntimeError.",
        "Not all of the work could be stopped: the line is lost.",
    ]
