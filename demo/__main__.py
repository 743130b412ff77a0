"""The demo from the command line: `python -m demo start | stop | status | clean`. `make demo` calls it."""

from __future__ import annotations

import errno
import signal
import sys

from rich.console import Console

from demo.runtime.machine import Machine
from demo.runtime.places import DemoProblem
from pgtend.kernel.errors import PgtendError

VERBS = ("start", "stop", "status", "clean")


def main(verb: str) -> int:
    """Do what was asked, and say in plain words when it cannot be done."""
    console = Console()
    # A closed terminal or a kill is an interruption like Ctrl-C, with the same advice.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine = Machine(console)
    try:
        return perform(verb, machine)
    except DemoProblem as problem:
        complain(problem.what, *problem.advice)
    except PgtendError as error:
        complain(error.message, error.detail, error.hint)
    except KeyboardInterrupt:
        complain("interrupted", "Nothing is broken. make demo goes on from here; make demo-stop stops what runs.")
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        complain(
            "the disk is full", f"{error.filename or machine.places.state}: free some space, then make demo again."
        )
    return 1


def perform(verb: str, machine: Machine) -> int:
    """Do what was asked and give the exit status."""
    if verb != "start" and not machine.places.state.exists():
        machine.tell("There is no demo here. make demo makes one.")
        return 0
    match verb:
        case "start":
            machine.start()
        case "stop":
            machine.tell("Stopped." if machine.stop() else "Nothing was running.")
        case "clean":
            machine.clean()
            machine.tell("Everything of the demo is gone.")
        case _:
            return 0 if machine.status() else 3
    return 0


def complain(what: str, *advice: str) -> None:
    """Say what went wrong, as text and not as markup: a log line may look like anything."""
    console = Console(stderr=True)
    console.print(f"\n✘ {what}", style="bold red", markup=False, highlight=False)
    for line in advice:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    if sys.argv[1:] not in [[verb] for verb in VERBS]:
        raise SystemExit(f"usage: python -m demo {' | '.join(VERBS)}")
    raise SystemExit(main(sys.argv[1]))
