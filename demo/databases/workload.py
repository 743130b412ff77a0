"""Read a `traffic.sql`: which things an application does, how often, and with what.

`-- pick: name` is a query that is asked once; its rows are what later values are chosen from, column by column.
`-- action: name weight: n` is one transaction of the application: its statements, each ending in a semicolon.
The first row of a statement gives its columns to the statements after it; a statement that finds none ends the action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from demo.databases.roster import DemoDataError, Team

_HEADING = re.compile(r"^-- (?P<kind>pick|action): (?P<name>\w+)(?: weight: (?P<weight>\d+))?$", re.MULTILINE)
_END = re.compile(r";\s*(?:\n|$)")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing people do: its statements, and how often it happens beside the others."""

    name: str
    weight: int
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that happens to one database on an ordinary day."""

    picks: dict[str, str]
    actions: tuple[Action, ...]

    @property
    def weights(self) -> tuple[int, ...]:
        """Give the weights in the order of the actions."""
        return tuple(action.weight for action in self.actions)


@cache
def read_workload(team: Team) -> Workload:
    """Read the team's `traffic.sql`."""
    picks: dict[str, str] = {}
    actions: list[Action] = []
    for kind, name, weight, statements in _blocks(team.read("traffic.sql")):
        if kind == "action":
            actions.append(Action(name, weight, statements))
        elif len(statements) == 1:
            picks[name] = statements[0]
        else:
            raise DemoDataError(f"{team.name}/traffic.sql: pick {name} is not one statement")
    return Workload(picks, tuple(actions))


def _blocks(text: str) -> Iterator[tuple[str, str, int, tuple[str, ...]]]:
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        body = text[heading.end() : end]
        statements = tuple(part.strip() for part in _END.split(body) if part.strip())
        yield heading["kind"], heading["name"], int(heading["weight"] or 1), statements
