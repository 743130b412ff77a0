"""What reading a fleet file costs, beside a YAML reader that checks nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from bed.dag_parsing import fleet_file
from bench.figures import Cost, Section, Table, milliseconds, prose, race, ratio, spent
from pgtend.fleet.load import load_fleet

ROUNDS = 5
SIZES = (5, 200)
RIVAL, RIVAL_IN_C, OURS = "PyYAML in Python", "PyYAML in C", "pgtend"
WORDY = """    connection: {name}
    window:
      start: "22:00"
      end: "05:00"
      timezone: Europe/Berlin
    limits:
      sessions: 4
      lock_timeout: 2 s
    analyze:
      changed_fraction: 0.05
      skip: [staging.*]
"""


def measure() -> Section:
    """Read a small and a large fleet, each terse and with many settings."""
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        for databases in SIZES:
            for is_wordy in (False, True):
                path = _fleet(Path(folder), databases, is_wordy=is_wordy)
                about = f"{databases} databases, {'long' if is_wordy else 'short'}"
                rows += _rows(about, _read(path))
    return Section(
        title="Fleet file",
        measured=prose(f"""
            The whole fleet file read, with 2 lines for each database (short) or 13 (long); the best of {ROUNDS}
            rounds in one warm process. PyYAML is `yaml.load` with its safe loaders, and gives a dictionary of which
            nothing is known.
        """),
        tables=(Table(("fleet", "read by", "time", "a database", "to PyYAML in C"), tuple(rows), words=2),),
        remarks=(
            prose("""
                pgtend reads with PyYAML's parser in C too. What comes on top is that every value becomes a checked,
                typed setting with the number of its line, that windows are held against schedules, and that passwords
                are looked for.
            """),
        ),
    )


def _read(path: Path) -> dict[str, Cost]:
    contestants = {
        RIVAL_IN_C: lambda: spent(lambda: yaml.load(path.read_text(), Loader=yaml.CSafeLoader)),
        RIVAL: lambda: spent(lambda: yaml.safe_load(path.read_text())),
        OURS: lambda: spent(lambda: load_fleet(path)),
    }
    return race(contestants, rounds=ROUNDS)


def _fleet(folder: Path, databases: int, *, is_wordy: bool) -> Path:
    path = fleet_file(folder, (f"db{number:03d}" for number in range(databases)))
    if is_wordy:
        lines = path.read_text().splitlines(keepends=True)
        # The owner's line of a database is followed by its other settings.
        path.write_text("".join(line + (_settings(line) if line.startswith("    owner:") else "") for line in lines))
    return path


def _settings(owner: str) -> str:
    return WORDY.format(name=owner.partition(": ")[2].strip().removesuffix("-team"))


def _rows(about: str, costs: dict[str, Cost]) -> list[tuple[str, ...]]:
    databases = int(about.split(maxsplit=1)[0])
    least = costs[RIVAL_IN_C].wall
    return [
        (about, who, milliseconds(cost.wall), milliseconds(cost.wall / databases), ratio(cost.wall, least))
        for who, cost in costs.items()
    ]
