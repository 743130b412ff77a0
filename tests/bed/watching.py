"""Looks at databases for tests: readings made by hand, and a database with a memory of its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bed.clusters import LiveDatabase
from bed.ledgers import ask, tell
from pgtend.fleet.health import HealthRules, Watched
from pgtend.fleet.model import Database
from pgtend.health.job import examine, stale_after
from pgtend.health.model import Finding, HealthPolicy, Reading
from pgtend.health.report import Examination
from pgtend.health.store import HealthStore
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EVERY = timedelta(minutes=5)


def judged(
    watched: Watched, values: Sequence[float], *, every: timedelta = EVERY, rules: HealthRules | None = None
) -> list[Finding]:
    """Judge a metric that is read again and again."""
    policy, before = HealthPolicy(rules or HealthRules()), None
    found: list[Finding] = []
    for number, value in enumerate(values):
        before = policy.judge(Reading(watched=watched, value=value), before, NOON + every * number)
        found.append(before)
    return found


def levels(findings: Sequence[Finding]) -> list[str]:
    """Name the levels of some findings."""
    return [str(finding.level) for finding in findings]


@contextmanager
def crowd(live: LiveDatabase, size: int, application: str) -> Generator[list[Session]]:
    """Let many clients of one application connect and do nothing."""
    with ExitStack() as open_ones:
        yield [open_ones.enter_context(live.session(application=application)) for _ in range(size)]


def await_nobody(live: LiveDatabase) -> None:
    """Wait until the server noticed that all clients of the database left."""
    others = (
        "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with live.session() as session:
        while ask(session, others) != [0]:
            tell(session, "SELECT pg_sleep(0.02)")


@dataclass(slots=True)
class Ward:
    """One database that is watched, by a role that may monitor and nothing else, and the ledger that remembers it."""

    live: LiveDatabase
    monitor: Address
    ledger: DatabaseLedger | None = None
    rules: Mapping[str, object] = field(default_factory=dict[str, object])
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def database(self) -> Database:
        """The database as the fleet file would describe it."""
        return Database.model_validate({"name": self.live.name, "connection": "kgc", "health": dict(self.rules)})

    def look(self, *, later: timedelta = EVERY) -> Examination:
        """Look at it and keep what was seen, some minutes after the last time."""
        store = HealthStore(self.ledger) if self.ledger else None
        exam = examine(self.database, self.monitor, store, clock=(lambda: self.now) if store else utc_now)
        if store:
            store.keep(exam, stale_after(self.database))
        self.now += later
        return exam

    def finding(self, watched: Watched) -> Finding:
        """Look at one metric."""
        return finding_of(self.look(), watched)


def finding_of(exam: Examination, watched: Watched) -> Finding:
    """Pick one metric of a look."""
    return next(finding for finding in exam.findings if finding.watched is watched)


def limits(**of: Mapping[str, object]) -> dict[str, object]:
    """Write limits as the fleet file does, so that a test need not wait for hours."""
    return {"limits": dict(of), "details_every": "1 s"}
