"""What a measurement is, how rivals are measured beside each other, and how figures are written."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took: time on the wall, CPU seconds of this process and its children, memory on top."""

    wall: float
    cpu: float
    memory: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    """Figures beside each other; the first columns are words, all others numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """What one room costs, in words and figures."""

    title: str
    measured: str
    tables: tuple[Table, ...]
    remarks: tuple[str, ...] = ()


def spent(work: Callable[[], object]) -> Cost:
    """Do the work once and tell what it took."""
    base = _start_peak()
    cpu, began = _cpu(), time.monotonic()
    work()
    wall = time.monotonic() - began
    return Cost(wall, _cpu() - cpu, max(0.0, _memory("VmHWM") - base))


def race(
    contestants: Mapping[str, Callable[[], Cost]], *, rounds: int, before: Callable[[], object] = lambda: None
) -> dict[str, Cost]:
    """Let contestants run by turns, so that a busy minute of the machine hits all of them; the best of each counts.

    What has to be done before each of them is not counted.
    """
    seen: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            before()
            seen[name].append(run())
    return {name: min(costs, key=lambda cost: cost.wall) for name, costs in seen.items()}


def repeated(work: Callable[[], object], times: int) -> Callable[[], Cost]:
    """Do a small piece of work many times, and tell what one of them took."""

    def run() -> Cost:
        total = spent(lambda: [work() for _ in range(times)])
        return Cost(total.wall / times, total.cpu / times, total.memory)

    return run


def prose(text: str) -> str:
    """Take a paragraph out of the lines it was written in."""
    return " ".join(text.split())


def ratio(one: float, other: float) -> str:
    """Write how many times as much one is as the other."""
    return f"{one / other:.2f}x"


def milliseconds(seconds: float) -> str:
    """Write a short time."""
    return f"{seconds * 1000:.2f} ms"


def seconds(span: float) -> str:
    """Write a time that a person can wait for."""
    return f"{span:.2f} s"


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _start_peak() -> float:
    """Forget the peak of memory so far; what getrusage calls the peak is inherited from whoever started us."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
