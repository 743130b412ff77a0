"""Ending a task so that nothing of it lives on: no query in the server, no lock, no subprocess.

Airflow gives a killed task five seconds between SIGTERM and SIGKILL, and its own handler swallows the signal: a
TaskFlow function never hears of it. When the supervisor itself dies, nobody tells the task at all. And a task that ran
out of time gets an exception that psycopg does not know, so the query goes on in the server.

One block cures all three. Both exceptions are also a KeyboardInterrupt, because that is the one word the libraries
below us understand: psycopg answers it by cancelling the query in the server, `subprocess` by ending the child.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, Never, TypeAlias

from airflow.sdk.exceptions import AirflowTaskTimeout

Cancel: TypeAlias = Callable[[], object]

_PR_SET_PDEATHSIG: Final = 1
_PR_GET_PDEATHSIG: Final = 2
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class TaskCancelled(KeyboardInterrupt):
    """The task was ended from outside: killed in the UI, cleared, its machine stopped, its supervisor gone."""


class TaskOutOfTime(AirflowTaskTimeout, KeyboardInterrupt):
    """The task's own time limit passed. Airflow reads it as its time-out, psycopg as an interrupt."""


@contextmanager
def cancellable(*on_cancel: Cancel) -> Generator[None]:
    """Turn every way to end a task into one exception in its main thread, after calling `on_cancel`."""
    ending = _Ending(on_cancel)
    with ExitStack() as restored:
        restored.callback(_set_signal_at_parents_death, _signal_at_parents_death())
        _set_signal_at_parents_death(signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGALRM):
            restored.callback(signal.signal, number, signal.signal(number, ending))
        yield


class _Ending:
    """Handles the first signal; clean-up is not to be interrupted by the next."""

    def __init__(self, on_cancel: tuple[Cancel, ...]) -> None:
        self.on_cancel = on_cancel
        self.process = os.getpid()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        # A child between fork and exec still has this handler, and must not act for its parent.
        if os.getpid() != self.process:
            return
        for ignored in (signal.SIGTERM, signal.SIGALRM):
            signal.signal(ignored, signal.SIG_IGN)
        with ExitStack() as each_gets_its_turn:
            each_gets_its_turn.callback(_raise_for, number)
            for cancel in reversed(self.on_cancel):
                each_gets_its_turn.callback(cancel)


def _raise_for(number: int) -> Never:
    if number == signal.SIGALRM:
        raise TaskOutOfTime("the task's time limit passed")
    raise TaskCancelled("the task was ended from outside")


def _signal_at_parents_death() -> int:
    number = ctypes.c_int(0)
    _LIBC.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number))
    return number.value


def _set_signal_at_parents_death(number: int) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
