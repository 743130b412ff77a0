"""What keeps a table from becoming partitioned, and what people should know who want it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that is in the way, as the catalogue tells it."""

    kind: str
    name: str


_WHY: Mapping[str, tuple[str, str]] = {
    "nullable": (
        "{by} may be empty, and such a row belongs to no month",
        "Add CHECK ({by} IS NOT NULL) NOT VALID, validate it, then SET NOT NULL.",
    ),
    "reference": (
        "{name} points at it, and a partitioned table has no key of that width",
        "Write mode: move, or auto.",
    ),
    "unique": (
        "{name} is unique without {by}, which no partitioned table can promise",
        "Write mode: move, or auto.",
    ),
    "exclusion": ("{name} excludes rows across months", "Write mode: move, or auto."),
    "unvalidated": ("{name} was never validated", "ALTER TABLE ... VALIDATE CONSTRAINT {name}; first."),
    "deferrable": ("{name} is deferrable", "Write mode: move, or auto."),
    "trigger": (
        "trigger {name} is a constraint trigger, or asks for all changed rows at once",
        "Write mode: move, or auto.",
    ),
    "identity": ("its replica identity is not the default", "ALTER TABLE ... REPLICA IDENTITY DEFAULT; first."),
    "typed": ("it follows a type or another table", "ALTER TABLE ... NOT OF; or NO INHERIT; first."),
    "view": ("only the owner of a view may let it follow: {name}", "GRANT its owner to us."),
    "dependent": ("{name} would go on meaning the table of before", "Drop it, and make it again afterwards."),
    "publication": (
        "subscribers of {name} would get changes of partitions that they do not have",
        "Take it out of the publication first.",
    ),
    "zone": ("its months are those of another zone than UTC", "Write zone: UTC, or mode: move."),
}


def say_obstacles(obstacles: Sequence[Obstacle], by: str) -> Iterator[tuple[str, str]]:
    """Say what is in the way, and what would cure it."""
    for one in obstacles:
        what, hint = _WHY[one.kind]
        yield what.format(name=one.name, by=by), hint.format(name=one.name, by=by)
