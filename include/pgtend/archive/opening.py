"""Sits down at the archive of one table, for whoever restores from it or erases somebody."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pgtend.archive.errors import NoPersonColumn, NoSuchMonth, NoSuchRule
from pgtend.archive.job import ArchiveSite
from pgtend.archive.memory import approval_of
from pgtend.archive.names import Names
from pgtend.archive.plan import chosen, read_table, reading_session
from pgtend.archive.restoring import Desk
from pgtend.archive.tables import Shelf
from pgtend.kernel.progress import Progress
from pgtend.vault.agekeys import PrivateKeys


@contextmanager
def restoring_desk(site: ArchiveSite, names: Names, keys: PrivateKeys | None, progress: Progress) -> Generator[Desk]:
    """Open the archive of one table and the vault, and hold the database for us alone."""
    database = site.database
    (name,) = chosen(database.archive, [str(names)])
    rule = database.archive.tables[name]
    application = f"pgtend:restore:{database.name}"
    with (
        reading_session(site.address, database.limits, application=application) as session,
        session.hold(database.name, patience=database.limits.lock_timeout),
        site.vault() as vault,
    ):
        reading = read_table(session, names, rule)
        if reading is None:
            raise NoSuchRule(f"there is no table {names}", hint="Correct archive.tables in the fleet file.")
        approval = approval_of(session, names)
        if approval is None:
            raise NoSuchMonth(f"nothing of {names} is archived", hint="Archive it first: pgtend archive run.")
        shelf = Shelf(
            session=session, source_id=approval.source_id, names=names, facts=reading.facts, layout=reading.layout
        )
        yield Desk(
            shelf=shelf,
            fleet=site.fleet.fleet,
            database=database.name,
            vault=vault,
            keys=keys,
            progress=progress,
            person=rule.person or "",
        )


def person_column(desk: Desk) -> str:
    """Tell which column names the person a row is about."""
    if not desk.person:
        raise NoPersonColumn(
            f"the rule of {desk.shelf.names} does not say whom a row is about",
            hint="Write the column into the rule as `person`; see docs/runbooks/archive-refused.md.",
        )
    return desk.person
