"""How the set-up talks to the person who typed make: one line a step, and what to do when it cannot go on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say that something takes a while, and how long it took."""
    print(f"  … {what}", flush=True)
    began = time.monotonic()
    yield
    print(f"  ✔ {what}  ({time.monotonic() - began:.1f} s)", flush=True)


def give_up(what: str, *advice: str) -> NoReturn:
    """Stop, and say in which words to go on."""
    print(f"\nmake cannot go on: {what}", file=sys.stderr)
    for line in advice:
        print(f"  {line}", file=sys.stderr)
    raise SystemExit(1)


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Run a command quietly; if it fails, show the end of what it said."""
    result = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        tail = result.stdout.splitlines()[-25:]
        give_up(f"`{' '.join(argv)}` ended with status {result.returncode}", *tail)
