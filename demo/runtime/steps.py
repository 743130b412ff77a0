"""What `make demo` says while it works: one line a step, with its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Steps:
    """Tells of steps that may run side by side, and remembers how long each took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()
        self.talking = threading.Lock()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell when a step is done, or that it failed."""
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.say(f"[red]✘[/] {what}", began)
            raise
        self.say(f"[green]✔[/] {what}", began)

    def say(self, what: str, began: float) -> None:
        """Print one line."""
        with self.talking:
            self.console.print(f"  {what}  [dim]{time.monotonic() - began:.1f} s[/]", highlight=False)

    def whole_time(self) -> float:
        """Tell how long everything took so far."""
        return time.monotonic() - self.began
