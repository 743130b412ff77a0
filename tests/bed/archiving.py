"""Tables with old rows, and everything that is needed to archive them in a test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bed.backups import ESCROW, OPERATIONS
from bed.clusters import LiveDatabase, asked
from bed.stored_backups import put_backup
from pgtend.archive.job import ArchiveReport, ArchiveSite, Wishes, archive_database
from pgtend.archive.memory import units_of
from pgtend.archive.model import State, Unit
from pgtend.archive.names import Names
from pgtend.archive.opening import restoring_desk
from pgtend.archive.plan import ArchivePlan, TablePlan, plan_archive, reading_session
from pgtend.archive.restoring import Desk, place_hold
from pgtend.fleet.model import Fleet
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Vault
from pgtend.vault.sealing import unseal

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
METRICS = "public.health_metrics"
# As the team of kgc declares it: a timestamp without a zone, and a foreign key.
HEALTH_METRICS = """
CREATE TABLE public.health_metrics (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES public.users (id),
    date timestamp NOT NULL DEFAULT now(),
    medication_score real NOT NULL,
    diet_score real NOT NULL,
    exercise_score real NOT NULL,
    CONSTRAINT diet_score_check CHECK (diet_score BETWEEN 0 AND 100)
)
"""
USERS = "CREATE TABLE public.users (id integer PRIMARY KEY)"


def filled(rows: int, *, days: int = 500, users: int = 90) -> str:
    """Write the statement that fills the table evenly up to now, oldest first."""
    return f"""
    INSERT INTO public.health_metrics (user_id, date, medication_score, diet_score, exercise_score)
    SELECT 1 + mod(x::bigint * 7919, {users}), timestamp '2026-11-21' - ({rows} - x) * interval '{days} days' / {rows},
        mod(x, 997) / 10.0, mod(x, 500) / 7.0, mod(x::bigint * 31, 1001) / 10.0
    FROM generate_series(1, {rows}) AS x
    """  # noqa: S608 - numbers of ours


@dataclass(slots=True)
class Attic:
    """One database with old rows, the rules by which they leave, and the memory of it."""

    live: LiveDatabase
    folder: Path
    tables: dict[str, Mapping[str, object]] = field(default_factory=lambda: {METRICS: {"by": "date"}})
    rules: dict[str, object] = field(default_factory=dict[str, object])
    backup: dict[str, object] = field(default_factory=dict[str, object])
    health: dict[str, object] = field(default_factory=dict[str, object])
    now: datetime = NOW
    lines: list[str] = field(default_factory=list[str])
    on_line: Callable[[], object] = bool
    """What else happens whenever a run says something."""
    address: Address | None = None
    keys: Mapping[str, str] = field(default_factory=lambda: {"operations": OPERATIONS.public, "escrow": ESCROW.public})

    @property
    def fleet(self) -> Fleet:
        """The fleet as its file would describe it, with a window that is always open."""
        return Fleet.model_validate(
            {
                "fleet": "clinic",
                "environment": "test",
                "keys": {"recipients": dict(self.keys)},
                "databases": {
                    "kgc": {
                        "window": {"start": "00:00", "end": "00:00"},
                        "limits": {"lock_timeout": "2 s"},
                        "backup": dict(self.backup),
                        "health": dict(self.health),
                        "archive": {**self.rules, "tables": {name: dict(rule) for name, rule in self.tables.items()}},
                    }
                },
            }
        )

    @property
    def site(self) -> ArchiveSite:
        """Say what is archived, and how to reach it."""
        fleet = self.fleet
        return ArchiveSite(
            fleet=fleet, database=fleet.databases["kgc"], address=self.address or self.live.owner, vault=self.vault
        )

    @contextmanager
    def vault(self) -> Generator[Vault]:
        """Open the vault of these tests."""
        with FolderVault(FolderPlace(path=self.folder / "vault", may_create=True)) as vault:
            yield vault

    @property
    def ledger(self) -> Ledger:
        """The memory of these nights."""
        return FolderLedger(self.folder / "ledger")

    @contextmanager
    def session(self) -> Generator[Session]:
        """Open a session as the archive does."""
        site = self.site
        with reading_session(site.address, site.database.limits, application="pgtend:test") as session:
            yield session

    def plan(self) -> ArchivePlan:
        """Look, and change nothing."""
        with self.session() as session:
            return plan_archive(session, self.site.database, self.now)

    def table(self, name: str = METRICS) -> TablePlan:
        """Look at one table."""
        return next(table for table in self.plan().tables if str(table.names) == name)

    def refusals(self, name: str = METRICS) -> list[str]:
        """Say why a table may not be archived."""
        return [problem.what for problem in self.table(name).problems]

    def run(self, *, approved_by: str = "ana", only_unapproved: bool = False) -> ArchiveReport:
        """Archive what is old."""
        subject = Subject("kgc", "archive", "test")
        wishes = Wishes(approved_by=approved_by, only_unapproved=only_unapproved)
        return archive_database(self.site, self.ledger, subject, self._say, wishes=wishes, clock=lambda: self.now)

    def desk(self, name: str = METRICS, keys: PrivateKeys | None = None) -> AbstractContextManager[Desk]:
        """Sit down to restore or erase."""
        return restoring_desk(self.site, Names.of(name), keys, self.lines.append)

    def hold(self, month: str, *, legal: bool, name: str = METRICS) -> None:
        """Let a month stay as it is."""
        day = date.fromisoformat(f"{month}-01")
        with self.session() as session:
            place_hold(session, Names.of(name), day, reason="a case", by="ana", until=None, is_legal=legal)

    def take_backup(self) -> None:
        """Let a verified backup be younger than everything that was sealed."""
        with self.vault() as vault:
            put_backup(vault, datetime.now(UTC))

    def pass_week(self) -> None:
        """Let the grace of what is proven go by, wherever the clock of the server is beside ours."""
        self.now += timedelta(days=8)
        long_ago = (self.now - timedelta(days=8)).isoformat()
        self.live.run(f"UPDATE pgtend_archive.unit SET proven_at = '{long_ago}' WHERE proven_at IS NOT NULL")  # noqa: S608

    def let_go(self, month: str) -> None:
        """Let the database forget a month that the vault has: in a verified backup, and past its grace."""
        self.take_backup()
        self.pass_week()
        self.run()
        assert self.unit(month).stands is State.DROPPED

    def units(self, name: str = METRICS) -> tuple[Unit, ...]:
        """List the archived months."""
        with self.session() as session:
            return units_of(session, Names.of(name))

    def unit(self, month: str, name: str = METRICS) -> Unit:
        """Find one archived month."""
        return next(unit for unit in self.units(name) if unit.label == month)

    def ask(self, text: str) -> str:
        """Ask for one value, as superuser."""
        with self.live.session() as session:
            return session.row(asked(f"SELECT ({text})::text AS word")).word

    def content(self, *relations: str) -> str:
        """Say what some tables hold together, in two numbers that do not depend on the order of the rows."""
        read = "SELECT to_jsonb(t)::text AS row FROM {name} AS t"
        parts = " UNION ALL ".join(read.format(name=name) for name in relations)
        whole = "count(*) || ':' || coalesce(sum(hashtextextended(row, 0)::numeric), 0)"
        return self.ask(f"SELECT {whole} FROM ({parts}) AS rows")  # noqa: S608 - names of ours

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self.on_line()


def stored(attic: Attic, month: str, ending: str) -> bytes:
    """Read an object of a month as it lies in the vault, opened with the escrow key where it is sealed."""
    with attic.vault() as vault:
        (key,) = (o.key for o in vault.objects("archive/") if f"/{month}/" in o.key and o.key.endswith(ending))
        if not key.endswith(".age"):
            return vault.read_range(key, 0, vault.head(key).size)
        with unseal(vault, key, PrivateKeys((ESCROW,))) as plain:
            return plain.read()


def clinic(live: LiveDatabase, folder: Path, *, rows: int = 3_000) -> Attic:
    """Make the health metrics of a clinic, owned by a role that is no superuser."""
    live.run(USERS, "INSERT INTO public.users SELECT generate_series(1, 90)", HEALTH_METRICS, filled(rows), "ANALYZE")
    own(live, "public.users", METRICS)
    return Attic(live, folder)


def own(live: LiveDatabase, *tables: str) -> None:
    """Give tables to the role that owns the database."""
    live.run(*(f'ALTER TABLE {table} OWNER TO "{live.owner.user}"' for table in tables))
