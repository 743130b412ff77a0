"""Reads one-statement `.sql` files into typed queries.

A file lies in the `sql` folder of the room that uses it, is named verb_object.sql, and starts with a comment that says
why it exists. The comment may carry three directives: `-- on: ledger` for a statement that runs in the reporting
database instead of a tended one, `-- needs: >= 17` for one that only newer servers understand, and
`-- extension: amcheck` for one that calls functions of an extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Generic, LiteralString, TypeVar, cast

from pgtend.kernel.errors import Misconfigured

Row = TypeVar("Row")
_DIRECTIVE = re.compile(r"--\s*(on|needs|extension):\s*(.+)")


class Document:
    """The row of a statement whose one column has a name that no field can have: the plan that EXPLAIN gives."""


class BadStatement(Misconfigured):
    """An SQL file does not follow the rules of the house."""

    code = "sqlfiles.bad_statement"


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    """One SQL statement, the dataclass its rows become, and where it runs."""

    name: str
    text: LiteralString
    row: type[Row]
    purpose: str
    on: str = "source"
    needs: int = 0
    extension: str = ""


def query(package: str, name: str, row: type[Row]) -> Query[Row]:
    """Read `sql/<name>.sql` of a room; its rows become instances of `row`."""
    text = (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if line.startswith("--")]
    directives = {m.group(1): m.group(2).strip() for line in comments if (m := _DIRECTIVE.fullmatch(line.strip()))}
    purpose = " ".join(line.removeprefix("--").strip() for line in comments if not _DIRECTIVE.fullmatch(line.strip()))
    if not purpose:
        raise BadStatement(f"{package} sql/{name}.sql does not say why it exists", hint="Start it with a comment.")
    return Query(
        name=name,
        # The one place where text from our own package becomes a literal for psycopg: the files are code.
        text=cast("LiteralString", text),
        row=row,
        purpose=purpose,
        on=directives.get("on", "source"),
        needs=int(directives.get("needs", ">= 0").removeprefix(">=")),
        extension=directives.get("extension", ""),
    )


def command(package: str, name: str) -> Query[None]:
    """Read `sql/<name>.sql` of a room; it returns no rows."""
    return query(package, name, type(None))
