"""Whether a database is ready to be archived: everything its rules need there, asked without counting a row."""

from __future__ import annotations

from pgtend.archive.errors import NotArchivable
from pgtend.archive.names import Names
from pgtend.archive.plan import missing_table, read_table
from pgtend.fleet.model import Database
from pgtend.kernel.errors import Problem
from pgtend.postgres.session import Session


def require_archivable(session: Session, database: Database) -> int:
    """Tell how many tables have a rule, or refuse with all that is missing and the statement for each."""
    problems: list[Problem] = []
    for name, rule in database.archive.tables.items():
        reading = read_table(session, Names.of(name), rule)
        problems += reading.problems() if reading else [missing_table(name)]
    NotArchivable.raise_if_any(
        f"{database.name} has tables that cannot be archived by their rules",
        tuple(problems),
        hint="See docs/runbooks/archive-refused.md.",
    )
    return len(database.archive.tables)
