"""Let the applications of the demo fleet work for a while, as themselves and through row-level security.

`python demo/databases/traffic.py --conninfo "host=/run/postgresql" --secrets FILE --seconds 60 --rate 20`
"""

from __future__ import annotations

import hashlib
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from demo.databases.options import parser, secrets_from
from demo.databases.roster import FLEET, TEAMS, DemoDataError, Team
from demo.databases.workload import Action, read_workload

NOTES = ("slept well", "tired after lunch", "walked to the market", "forgot one dose", "asked about the new plan")
# An action that takes longer than this is a finding of its own, and must not keep the run from ending.
PATIENCE = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What one application did: how often what, and what went wrong."""

    database: str
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    took: timedelta = timedelta()

    def __str__(self) -> str:
        often = ", ".join(f"{name} {times}" for name, times in self.done.most_common(3))
        line = f"{self.database}: {self.done.total()} actions in {self.took.total_seconds():.1f} s ({often})"
        return f"{line}, {len(self.errors)} errors" + (f", the first: {self.errors[0]}" if self.errors else "")


class Application:
    """One application at work: a connection, its workload and its dice."""

    def __init__(self, team: Team, connection: psycopg.Connection[DictRow], seed: int) -> None:
        self.team = team
        self.connection = connection
        self.workload = read_workload(team)
        self.dice = Random(f"{seed}:{team.name}")
        self.picks = {name: self.rows_of(name, query) for name, query in self.workload.picks.items()}

    def rows_of(self, name: str, query: str) -> list[DictRow]:
        """Ask a pick's query for what to choose from."""
        rows = self.connection.execute(query.encode()).fetchall()
        if not rows:
            raise DemoDataError(f"{self.team.name} has nothing to pick as {name}: run demo/databases/seed.py first")
        return rows

    def choose(self) -> Action:
        """Choose what happens next."""
        return self.dice.choices(self.workload.actions, self.workload.weights)[0]

    def values(self) -> dict[str, object]:
        """Choose what it happens with: somebody of each pick, few of them often, and numbers made up."""
        chosen: dict[str, object] = {}
        for rows in self.picks.values():
            chosen |= rows[int(len(rows) * self.dice.random() ** 2)]
        return chosen | {
            "score": round(self.dice.betavariate(6, 3) * 100, 1),
            "second_score": round(self.dice.betavariate(5, 4) * 100, 1),
            "third_score": round(self.dice.betavariate(4, 5) * 100, 1),
            "roll": round(self.dice.random(), 3),
            "number": self.dice.randrange(1000),
            "note": f"{self.dice.choice(NOTES)}, {self.dice.choice(NOTES)}",
            "token": hashlib.sha256(f"{time.time_ns()}:{self.dice.random()}".encode()).digest(),
        }

    def perform(self, action: Action) -> None:
        """Do it in one transaction; what a statement finds is known to the next."""
        values = self.values()
        with self.connection.transaction():
            for statement in action.statements:
                cursor = self.connection.execute(statement.encode(), values)
                if cursor.description is None:
                    continue
                first = cursor.fetchone()
                if first is None:
                    return
                values |= first


def run_traffic(  # noqa: PLR0913 - a run has this many sides, and all but the first two are named
    conninfo: str,
    secrets: Mapping[str, str],
    *,
    databases: Iterable[str] = FLEET,
    seconds: float = 60,
    rate: float = 10,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> dict[str, Traffic]:
    """Let the applications work side by side, each `rate` actions a second on average, until the time is over."""
    until = stop or threading.Event()
    teams = [TEAMS[name] for name in databases]

    def live(team: Team) -> Traffic:
        password = {"password": secrets[team.app]} if team.app in secrets else {}
        mine = make_conninfo(conninfo, dbname=team.name, user=team.app, **password)
        return work(mine, team, seconds=seconds, rate=rate, seed=seed, stop=until)

    with ThreadPoolExecutor(max_workers=len(teams)) as pool:
        return {traffic.database: traffic for traffic in pool.map(live, teams)}


def work(  # noqa: PLR0913 - see run_traffic
    conninfo: str, team: Team, *, seconds: float, rate: float, seed: int, stop: threading.Event
) -> Traffic:
    """Let one application work."""
    traffic = Traffic(database=team.name)
    begun = time.monotonic()
    options = f"-c statement_timeout={PATIENCE // timedelta(milliseconds=1)} -c TimeZone=UTC"
    with psycopg.connect(
        conninfo, autocommit=True, row_factory=dict_row, application_name=f"{team.name}-api", options=options
    ) as connection:
        application = Application(team, connection, seed)
        due = time.monotonic()
        while not connection.closed:
            due += application.dice.expovariate(rate)
            left = begun + seconds - time.monotonic()
            # Whoever waits for the next action also hears the end; a run that is late goes on without a pause.
            if stop.wait(max(0, min(due - time.monotonic(), left))) or time.monotonic() - begun >= seconds:
                break
            attempt(application, traffic)
    traffic.took = timedelta(seconds=time.monotonic() - begun)
    return traffic


def attempt(application: Application, traffic: Traffic) -> None:
    """Do the next thing, and count it, or what went wrong with it."""
    action = application.choose()
    try:
        application.perform(action)
    except psycopg.Error as error:
        # The applications go on after an error, as real ones do; the summary and the exit status tell.
        traffic.errors.append(f"{action.name}: {str(error).splitlines()[0]}")
    else:
        traffic.done[action.name] += 1


def main() -> int:
    """Work until the time is over or somebody says stop; fail if anything went wrong."""
    options = parser("Let the applications of the demo fleet work for a while.")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=float, default=10, help="actions a second for each database, on average")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    results = run_traffic(
        f"service={chosen.service}" if chosen.service else chosen.conninfo,
        secrets_from(chosen),
        databases=chosen.databases,
        seconds=chosen.seconds,
        rate=chosen.rate,
        seed=chosen.seed,
        stop=stop,
    )
    for traffic in results.values():
        print(traffic)
    return 1 if any(traffic.errors for traffic in results.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoDataError, psycopg.Error, OSError) as error:
        sys.exit(f"traffic: {error}")
