"""Lines of progress that make something happen: what goes on while a job is at work."""

from __future__ import annotations

from collections.abc import Callable


class Acting(list[str]):
    """Collects lines, and does something once, when the first of them holds a word."""

    def __init__(self, word: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._word, self._act, self._is_done = word, act, False

    def append(self, line: str) -> None:
        """Keep a line, and act if it is the one."""
        super().append(line)
        if self._word in line and not self._is_done:
            self._is_done = True
            self._act()
