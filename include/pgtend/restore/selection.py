"""What of the last section is run, and in which passes: everything, or less when only some rows are restored."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pgtend.restore.archive import Restorer, Spool

# With rows of other tables missing, a foreign key cannot hold, and a materialized view would show half of the truth.
_LINKS = re.compile(r"^\d+; \d+ \d+ (?:FK CONSTRAINT|MATERIALIZED VIEW DATA) ")
# What needs the primary key of a table comes after the rows, and an index may need it in turn.
_BUILDS = re.compile(
    r"^\d+; \d+ \d+ (?:INDEX|CONSTRAINT|MATERIALIZED VIEW|VIEW|RULE|FUNCTION|PROCEDURE|AGGREGATE) (?!ATTACH |DATA )"
)
_ATTACHES = re.compile(r"^\d+; \d+ \d+ INDEX ATTACH ")
_OF_DATABASE = re.compile(r"^\d+; \d+ \d+ (?:DATABASE|DATABASE PROPERTIES|(?:ACL|COMMENT) -? ?DATABASE) ")


@dataclass(frozen=True, slots=True)
class Pass:
    """Some entries of an archive, in their order, and how many of them may run at once."""

    entries: Sequence[str]
    jobs: int


def passes(contents: Sequence[str], jobs: int, *, has_partitions: bool) -> tuple[Pass, ...]:
    """Decide in which order the entries of the last section run.

    Two partitions whose indexes are attached at the same moment do not see each other, and PostgreSQL then leaves the
    index of the whole marked invalid, without an error. So indexes are built side by side, with whatever one may be
    made of, and attached one by one; foreign keys, which need whole indexes and read whole tables, come side by side
    again.
    """
    if not has_partitions:
        return (Pass(contents, jobs),)
    builds = [line for line in contents if _BUILDS.match(line)]
    attaches = [line for line in contents if _ATTACHES.match(line)]
    others = [line for line in contents if not (_BUILDS.match(line) or _ATTACHES.match(line))]
    return (Pass(builds, jobs), Pass(attaches, 1), Pass(others, jobs))


def without_links(contents: Sequence[str]) -> list[str]:
    """Leave out what ties tables together."""
    return [line for line in contents if not _LINKS.match(line)]


def script_of_database(plain: Restorer, spool: Spool) -> str:
    """Write out what makes the database itself and nothing that is in it, where any text may look like a statement."""
    own = [line for line in plain.contents(spool, "--create") if _OF_DATABASE.match(line)]
    with listed(own) as entries:
        return plain.script(spool, "--create", f"--use-list={entries.path}")


@contextmanager
def listed(entries: Sequence[str]) -> Generator[Spool]:
    """Write a list of entries for pg_restore to follow."""
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{line}\n" for line in entries).encode(errors="surrogateescape"))
        file.flush()
        yield Spool(file)
