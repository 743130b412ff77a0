"""A clinic whose server counts statements, a ledger that keeps its nights, and the truth about every call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from bed.clusters import LiveDatabase, new_database, tools_of
from bed.ledgers import ask, member_of, new_ledger, tell
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.statements.quality import Night
from pgtend.statements.readiness import require_counting
from pgtend.statements.snapshot import Reading, Target

FIRST_NIGHT = date(2026, 11, 1)
_COUNTS = {"shared_preload_libraries": "pg_stat_statements", "track_io_timing": "on"}


@contextmanager
def counting_server(
    major: int, settings: Mapping[str, str] | None = None, access_rules: str = ""
) -> Generator[ThrowawayServer]:
    """Start a server that counts statements; tests may reset, restart and kill it."""
    wanted = {**_COUNTS, **(settings or {})}
    with ThrowawayServer(
        tools=tools_of(major), settings=wanted, listens_on_tcp=True, access_rules=access_rules
    ) as server:
        yield server


@dataclass(slots=True)
class Clinic:
    """One database that is counted, and what really happened in it."""

    source: LiveDatabase
    tends: Address
    reporting: LiveDatabase
    writer: Address
    truth: Counter[str] = field(default_factory=Counter[str])
    day: date = FIRST_NIGHT
    tables: set[str] = field(default_factory=set[str])

    @property
    def server(self) -> ThrowawayServer:
        """The server that counts."""
        return self.source.server

    @property
    def tender(self) -> Address:
        """The way in of a role that may see statistics and nothing else; a server that started again moved."""
        assert self.tends.password is not None
        return self.server.role(self.tends.user, self.tends.password, self.source.name)

    def work(self, **calls: int) -> None:
        """Ask questions about tables of the application, about each so often."""
        with self.source.session() as session:
            for name in calls.keys() - self.tables:
                tell(session, f"CREATE TABLE public.{name} (id int)")
            self.tables |= calls.keys()
            for name, times in calls.items():
                for number in range(times):
                    tell(session, f"SELECT id FROM public.{name} WHERE id = {number}")  # noqa: S608 - ours
        self.truth.update(calls)

    def lose(self, **calls: int) -> None:
        """Note calls that a reset or a crash destroyed before anybody could read them."""
        self.truth.subtract(calls)

    def night(self, later: int = 1, *, place: Address | None = None, target: Target | None = None) -> Night:
        """Read the night so many days after the last one."""
        self.day += timedelta(days=later)
        with self.ledger() as ledger, self.at(place) as session:
            return self.reading(session, target).into(ledger)

    def reading(self, session: Session, target: Target | None = None) -> Reading:
        """Describe the reading of tonight."""
        return Reading(
            target=target or Target(database="clinic"),
            day=self.day,
            slow_ms=100,
            source=session,
            counting=require_counting(session),
            run_id=f"run-{self.day}",
        )

    @contextmanager
    def at(self, place: Address | None = None) -> Generator[Session]:
        """Open a session as the tender, who may see statistics and nothing else."""
        with self.source.session(place or self.tender) as session:
            yield session

    @contextmanager
    def ledger(self) -> Generator[DatabaseLedger]:
        """Open the ledger as a job does."""
        with self.reporting.session(self.writer) as session:
            yield DatabaseLedger(session)

    def counted(self, replica: str = "") -> dict[str, int]:
        """Tell how often each question was asked, in all nights together, as the ledger has it."""
        name = "substring(query from 'FROM public.(\\w+) WHERE id = .1$')"
        text = (
            f"SELECT {name} || ' ' || sum(calls) FROM reporting.statement_days"  # noqa: S608 - a test's own words
            f" WHERE {name} <> '' AND replica = %(replica)s GROUP BY {name}"
        )
        with self.reporting.session() as session:
            found = [str(line).split() for line in ask(session, text, {"replica": replica})]
        return {name: int(calls) for name, calls in found}

    def tell(self, *statements: str) -> None:
        """Run statements on the counted database, as superuser."""
        self.source.run(*statements)

    def asked(self, text: str) -> list[object]:
        """Ask the ledger as its owner."""
        with self.reporting.session() as session:
            return ask(session, text)


@contextmanager
def clinic_on(server: ThrowawayServer, memory: ThrowawayServer) -> Generator[Clinic]:
    """Make a counted database on one server, and a ledger for it on another one."""
    with ExitStack() as stack:
        reporting = stack.enter_context(new_ledger(memory))
        source = stack.enter_context(new_database(server))
        source.run("CREATE EXTENSION pg_stat_statements SCHEMA public")
        tender = source.new_role("tender")
        source.run(f'GRANT pg_monitor TO "{tender.user}"')
        yield Clinic(source, tender, reporting, member_of(reporting, "pgtend_writer"))
