"""How a fleet is shown: a row for each database, a cell for each promise, and every cell says why it has its colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span


class Light(StrEnum):
    """How a thing stands. Doubt is never green."""

    GOOD = "good"
    WATCH = "watch"
    UNKNOWN = "unknown"
    BAD = "bad"

    @property
    def weight(self) -> int:
        """How bad it is; a page shows the heaviest first."""
        return list(Light).index(self)


def worst(lights: Iterable[Light]) -> Light:
    """Choose the heaviest; of nothing at all nothing is known."""
    return max(lights, key=lambda light: light.weight, default=Light.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One promise of one database, as it stands now."""

    light: Light
    says: str
    """The fact, in a few words."""
    why: str
    """Why it has this colour, and what the limit is: a full sentence."""
    link: str = ""
    """`page:<database>/<part>`, `run:<address>`, `runbook:<name>`, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One promise that every database is held to."""

    key: str
    title: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One database."""

    database: str
    owner: str
    light: Light
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole fleet, worst first."""

    fleet: str
    environment: str
    light: Light
    says: str
    columns: Sequence[Column]
    rows: Sequence[Row]


def say_age(span: timedelta) -> str:
    """Say how old something is, without the part of it that nobody needs."""
    return say_span(span - span % timedelta(minutes=1)) if span >= timedelta(minutes=1) else f"{span.seconds} s"


def row_of(database: str, owner: str, cells: Mapping[str, Cell]) -> Row:
    """Make a row; it is as bad as its worst cell."""
    return Row(database=database, owner=owner, light=worst(cell.light for cell in cells.values()), cells=cells)


def worst_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Order rows so that what needs somebody stands on top."""

    def order(row: Row) -> tuple[int, int, str]:
        weights = sorted((cell.light.weight for cell in row.cells.values()), reverse=True)
        return (-row.light.weight, -sum(weight**2 for weight in weights), row.database)

    return tuple(sorted(rows, key=order))


def say_fleet(rows: Sequence[Row]) -> str:
    """Answer in one sentence whether we are safe."""
    if not rows:
        return "There is no database to show."
    of = {light: [row.database for row in rows if row.light is light] for light in Light}
    if of[Light.BAD]:
        return f"{_databases(of[Light.BAD])} {_need(of[Light.BAD])} somebody now."
    if of[Light.UNKNOWN]:
        return f"Nothing is known to be broken, but of {_databases(of[Light.UNKNOWN])} something is not known."
    if of[Light.WATCH]:
        return f"Safe; {_databases(of[Light.WATCH])} {_need(of[Light.WATCH])} a look this week."
    return "Safe: every promise is kept, and was checked." if len(rows) > 1 else "Safe: every promise was checked."


def says_of_rows(seen: Overview) -> str:
    """Say what the rows say, without calling safe what is not for another reason."""
    return seen.says if seen.light in {Light.BAD, Light.UNKNOWN} else "No database that is shown is known to be broken."


def in_doubt(seen: Overview, problems: int) -> Overview:
    """Say that the fleet file has problems: what they are about has no row, and is no less in danger for that."""
    if not problems:
        return seen
    says = says_of_rows(seen)
    hidden = (
        f"The fleet file has {counted(problems, 'problem')}, and what is wrong there is tended by nobody and not shown"
    )
    return replace(
        seen, light=worst((seen.light, Light.UNKNOWN)), says=f"{says} {hidden}: see Airflow's import errors."
    )


def _databases(names: Sequence[str]) -> str:
    shown = 3
    if len(names) <= shown:
        return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def _need(names: Sequence[str]) -> str:
    return "needs" if len(names) == 1 else "need"
