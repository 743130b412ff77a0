"""Errors are what a person reads on a bad day, and what a scheduler decides by."""

from __future__ import annotations

import errno
import pickle

import pytest

from pgtend.kernel.errors import (
    BrokenEvidence,
    MachineExhausted,
    ManyProblems,
    Misconfigured,
    Outage,
    PgtendError,
    Problem,
    Refusal,
    family_of,
    naming_what_is_scarce,
)


class RoomOnFire(Outage):
    """An outage with a code of its own."""

    code = "test.on_fire"


def test_an_error_reads_like_one_of_postgresql() -> None:
    """Message, detail and hint stand on lines of their own, and the stable code is beside the message."""
    error = RoomOnFire("the room is on fire", detail="Smoke was seen.", hint="Leave by the window.")
    assert str(error) == "the room is on fire [test.on_fire]\nDETAIL: Smoke was seen.\nHINT: Leave by the window."


def test_an_error_without_detail_and_hint_is_one_line() -> None:
    """Nothing empty is shown."""
    assert str(RoomOnFire("the room is on fire")) == "the room is on fire [test.on_fire]"


def test_an_error_survives_a_trip_to_another_process() -> None:
    """Airflow pickles errors between processes: class, message, detail, hint and extra facts arrive."""
    sent = ManyProblems("two things are wrong", (Problem("a.b", "is missing", "write it"), Problem("c", "is odd")))
    got: object = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    assert isinstance(got, ManyProblems)
    assert (str(got), got.problems) == (str(sent), sent.problems)


def test_all_problems_are_listed_with_their_places() -> None:
    """A person fixes everything in one go, so everything is said in one go."""
    error = ManyProblems("two things are wrong", (Problem("a.b", "is missing", "write it"), Problem("c", "is odd")))
    assert error.detail == "\n  - a.b: is missing (write it)\n  - c: is odd"


def test_no_problem_is_no_error() -> None:
    """Raising is for those who have something to say."""
    ManyProblems.raise_if_any("nothing is wrong", ())
    with pytest.raises(ManyProblems):
        ManyProblems.raise_if_any("one thing is wrong", (Problem("a", "is odd"),))


@pytest.mark.parametrize(("family", "status"), [(Outage, 75), (Refusal, 77), (Misconfigured, 78), (BrokenEvidence, 65)])
def test_each_family_has_an_exit_status_of_its_own(family: type[PgtendError], status: int) -> None:
    """A script can tell the families apart; the numbers are those of sysexits.h."""
    assert family.exit_status == status
    assert family_of(family("x")) is family


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "no room", "patient-4711"), "No space left on device"),
        (OSError(errno.EMFILE, "too many"), "Too many open files"),
        (BlockingIOError(errno.EAGAIN, "no process"), "Resource temporarily unavailable"),
        (MemoryError(), "Cannot allocate memory"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_what_the_machine_lacks_is_an_outage(error: Exception, said: str) -> None:
    """It passes, it is no defect of ours, and the name of a file is no word for an alert."""
    with pytest.raises(MachineExhausted) as caught, naming_what_is_scarce():
        raise error
    assert caught.value.message == f"this machine has run out of something: {said}"
    assert isinstance(caught.value, Outage)


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "none"), TimeoutError(), ValueError("4711")])
def test_any_other_error_stays_what_it_is(error: Exception) -> None:
    """A file that is not there comes back by no patience."""
    with pytest.raises(type(error)) as caught, naming_what_is_scarce():
        raise error
    assert caught.value is error
