"""The race: backups of a database in which somebody empties and loads a table, and somebody else runs DDL."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bed.backups import KEYS, Depot
from bed.clusters import statement
from pgtend.backup.manifest import Manifest
from pgtend.backup.verify import verify_backup
from pgtend.kernel.errors import Outage
from pgtend.kernel.progress import quietly
from pgtend.postgres.session import Session

ROWS = 1000


@dataclass(slots=True)
class Tally:
    """What came of the rounds."""

    taken: list[Manifest] = field(default_factory=list[Manifest])
    refused: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])
    """What each refusal said."""

    @property
    def right(self) -> int:
        """How many backups hold what they should."""
        return len(self.taken) - len(self.wrong)


def race(depot: Depot, *, rounds: int, pause: float) -> Tally:
    """Take so many backups while tables are reloaded and altered, with so many seconds between two changes."""
    depot.live.run(
        "CREATE TABLE clinic.reloaded (x int)",
        f"INSERT INTO clinic.reloaded SELECT generate_series(1, {ROWS})",
        address=depot.live.owner,
    )
    tally = Tally()
    with _busy(depot, "reloader", pause, _reload), _busy(depot, "migration", pause, _alter):
        for _ in range(rounds):
            try:
                made = depot.take()
            except Outage as refusal:
                tally.refused[refusal.code] += 1
                tally.said.append(str(refusal))
                continue
            tally.taken.append(made)
            tally.wrong.extend(_wrong(depot, made))
    return tally


def _wrong(depot: Depot, made: Manifest) -> list[str]:
    """Say what is wrong with a backup: a table that was emptied and loaded in one step always has all its rows."""
    rows = {table.name: table.rows for table in made.tables}
    found = [f"{name} has {rows.get(name)} rows" for name, all_of in _KNOWN.items() if rows.get(name) != all_of]
    faults = verify_backup(depot.vault, made, KEYS, quietly).faults
    return [f"{made.backup_id}: {'; '.join([*found, *map(str, faults)])}"] if found or faults else []


_KNOWN = {"visits": 5000, "patients": 100, "reloaded": ROWS}


@contextmanager
def _busy(depot: Depot, name: str, pause: float, change: Callable[[Session, int], None]) -> Generator[None]:
    """Change something again and again until the end."""
    over = threading.Event()

    def work() -> None:
        number = 0
        with depot.live.session(depot.live.owner, application=name) as session:
            while not over.is_set():
                number += 1
                try:
                    change(session, number)
                except Outage:
                    # Its own lock timeout, or a deadlock with the other one: an application would try again too.
                    continue
                over.wait(pause)

    thread = threading.Thread(target=work, name=name)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _reload(session: Session, _number: int) -> None:
    with session.transaction():
        session.run(statement("LOCK TABLE clinic.patients IN ACCESS EXCLUSIVE MODE"))
        session.run(statement("TRUNCATE clinic.reloaded"))
        session.run(statement(f"INSERT INTO clinic.reloaded SELECT generate_series(1, {ROWS})"))


def _alter(session: Session, number: int) -> None:
    """Make a table and a view on it, give a table a column and take it away again, and drop the old ones."""
    ddl = (
        f"CREATE TABLE clinic.passing_{number} AS SELECT generate_series(1, 10) AS x",
        f"CREATE VIEW clinic.passing_view_{number} AS TABLE clinic.passing_{number}",
        f"ALTER TABLE clinic.visits ADD COLUMN extra_{number} int",
        f"ALTER TABLE clinic.visits DROP COLUMN extra_{number}",
        *([f"DROP TABLE clinic.passing_{number - 3} CASCADE"] if number > 3 else []),
    )
    for text in ddl:
        session.run(statement(text))
