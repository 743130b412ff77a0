"""Makes the reports of a fleet and keeps them where they are found again: in the vault, or in a folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from pgtend.fleet.model import Database, Fleet
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.report.build import database_report, fleet_report
from pgtend.report.document import Report
from pgtend.report.formats import as_csv, as_json
from pgtend.report.gather import gather_database, gather_fleet
from pgtend.report.page import page
from pgtend.vault.model import Vault

PIPELINE: Final = "report"
_ROOT: Final = "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One file of a report."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeReport:
    """A report and its files; the first one is its page."""

    report: Report
    files: Sequence[ReportFile]

    @property
    def page(self) -> bytes:
        """The HTML file."""
        return self.files[0].content


def make_reports(
    fleet: Fleet, ledger: DatabaseLedger, wanted: Sequence[Database], *, clock: Clock = utc_now
) -> Iterator[MadeReport]:
    """Make the report of the fleet when all of it is wanted, then one of each database."""
    now = clock()
    known = ledger.reach(lambda session: gather_fleet(session, list(fleet.databases), now))
    if len(wanted) == len(fleet.databases):
        yield made(fleet_report(fleet, known))
    for database in wanted:
        facts = ledger.reach(lambda session, name=database.name: gather_database(session, name, now))
        yield made(database_report(fleet, database, known, facts))


def made(report: Report) -> MadeReport:
    """Write a report in every format."""
    tables = [ReportFile(name=f"{report.name}-{name}.csv", content=text.encode()) for name, text in as_csv(report)]
    return MadeReport(
        report=report,
        files=(
            ReportFile(name=f"{report.name}.html", content=page(report).encode()),
            ReportFile(name=f"{report.name}.json", content=as_json(report).encode()),
            *tables,
        ),
    )


def store_reports(
    fleet: Fleet,
    ledger: DatabaseLedger,
    open_vault_of: Callable[[str], AbstractContextManager[Vault]],
    subject: Subject,
    progress: Progress,
) -> tuple[Sequence[MadeReport], Mapping[str, str]]:
    """Make every report and keep it in the vault of its database; give them with the key of each page by name."""
    keys: dict[str, str] = {}
    with ledger.run(subject) as run:
        reports = list(make_reports(fleet, ledger, list(fleet.databases.values())))
        for one in reports:
            database = fleet.databases.get(one.report.name)
            vault_name = database.vault if database else next(iter(fleet.vaults))
            folder = f"{_ROOT}/{fleet.fleet}/{one.report.name}/{run.run_id}"
            with open_vault_of(vault_name) as vault:
                for file in one.files:
                    _put(vault, f"{folder}/{file.name}", file.content)
                keys[one.report.name] = f"{folder}/{one.files[0].name}"
                size = f"{len(one.page):,} bytes"
                progress(f"{one.report.name}: {one.report.level}, {size} at {vault.place}/{keys[one.report.name]}")
    return reports, keys


def _put(vault: Vault, key: str, content: bytes) -> None:
    vault.put(key, io.BytesIO(content), sha256=hashlib.sha256(content).hexdigest())
