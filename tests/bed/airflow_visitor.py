"""A running Airflow with a fleet of two databases, and a person's browser window in front of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from playwright.sync_api import ConsoleMessage, Page
from psycopg import sql

from bed.airflow_site import PROJECT, AirflowSite, JsonValue, connection, metadata_address
from bed.clusters import LiveDatabase, new_database, statement
from bed.ledgers import member_of, new_ledger
from pgtend.postgres.address import Address
from pgtend.postgres.throwaway import ThrowawayServer

# A page loads in two seconds; where other work shares the processors it may take ten times as long.
PATIENCE: Final = 120_000
# Nothing is run here: what a person sees of a run is seen in the running demo.
COMPONENTS: Final = ("api-server", "dag-processor")
DAGS: Final = ("kgc.analyze", "lab.analyze", "fleet.audit", "fleet.reminders")
FLEET: Final = """\
fleet: clinic
ledger: {connection: ledger}
vaults: {main: {folder: {path: HOME/vault}}}
databases:
  kgc:
    owner: kgc-team
    window: {start: "00:00", end: "00:00"}
  lab:
    owner: lab-team
    window: {start: "00:00", end: "00:00"}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running Airflow and its fleet file, with two databases."""

    site: AirflowSite

    @property
    def fleet_file(self) -> Path:
        """The file that every component of the site reads."""
        return self.site.home / "fleet.yaml"

    @classmethod
    @contextmanager
    def started(cls, server: ThrowawayServer) -> Generator[Self]:
        """Start Airflow, with two databases that have a table each to tend."""
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgtend-site-")))
            kgc, lab, metadata = (stack.enter_context(new_database(server)) for _ in range(3))
            reporting = stack.enter_context(new_ledger(server))
            (home / "fleet.yaml").write_text(FLEET.replace("HOME", str(home)))
            (home / "vault").mkdir()
            ways = {"kgc": furnished(kgc), "lab": furnished(lab)}
            settings = {
                "PGTEND_FLEET": str(home / "fleet.yaml"),
                "AIRFLOW_CONN_KGC": connection(ways["kgc"]),
                "AIRFLOW_CONN_LAB": connection(ways["lab"]),
                # Databases that only the broken fleet file of a test names: nobody ever connects to them.
                **{f"AIRFLOW_CONN_{name}": connection(kgc.owner) for name in ("XRAY", "ICU", "TWIN", "ANNEX", "WARD")},
                "AIRFLOW_CONN_LEDGER": connection(member_of(reporting, "pgtend_writer")),
                "AIRFLOW__CORE__DAGS_FOLDER": str(shutil.copytree(PROJECT / "dags", home / "dags")),
            }
            site = stack.enter_context(AirflowSite(home, metadata_address(metadata), settings, COMPONENTS))
            site.wait("every DAG", lambda: all(site.knows(dag_id) for dag_id in DAGS), patience=120)
            yield cls(site)
            # Nothing here is worth a long goodbye.
            for component in COMPONENTS:
                site.kill(component)

    def say_in_fleet_file(self, more: str = "") -> None:
        """Write the fleet file, and make Airflow read its DAG files again now rather than in half a minute."""
        self.fleet_file.write_text(FLEET.replace("HOME", str(self.site.home)) + more)
        for file in (self.site.home / "dags").glob("*.py"):
            file.touch()

    def import_errors(self) -> JsonValue:
        """Count the files that Airflow cannot import."""
        return self.site.get("importErrors")["total_entries"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person's browser window, and everything that its console complained of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list[str])

    def open(self, path: str) -> Page:
        """Go to a page of the site."""
        self.page.goto(self.address + path)
        return self.page

    def listen(self, message: ConsoleMessage) -> None:
        """Keep what the console calls an error."""
        if message.type == "error" and not is_question_before_login(message):
            self.complaints.append(f"{message.text} ({message.location['url']})")


def is_question_before_login(message: ConsoleMessage) -> bool:
    """Whether it is Airflow asking for its settings to learn that nobody is logged in: the answer is 401, always."""
    return message.location["url"].endswith("/ui/config") and "401 (Unauthorized)" in message.text


def furnished(source: LiveDatabase) -> Address:
    """Make two tables whose statistics are missing, owned by the role that tends them."""
    tender = source.new_role("tender")
    for table in ("visits", "wards"):
        with source.session() as session:
            names = {"table": sql.Identifier("public", table), "role": sql.Identifier(tender.user)}
            session.run(statement("CREATE TABLE {table} (id bigint) WITH (autovacuum_enabled = off)"), **names)
            session.run(statement("INSERT INTO {table} SELECT generate_series(1, 1000)"), **names)
            session.run(statement("ALTER TABLE {table} OWNER TO {role}"), **names)
    return tender
