"""What belongs to a database itself and not to anything in it: its owner, rights, settings and comment.

pg_restore applies these only when it creates the database under its old name. Ours has another name, so they are taken
from what pg_restore would run for the database alone, and the name in them is exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import LiteralString, cast

from pgtend.postgres.errors import MissingRight, RowsBroken, StatementRejected
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query

_NAME = r'(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)'
_GRANT = r"(?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE"
# A database that takes a backslash for more than a letter has its texts written so.
_AS_IT_READS = re.compile(r"SET standard_conforming_strings = off;")
_OWN = re.compile(rf"(ALTER DATABASE|COMMENT ON DATABASE|{_GRANT}|ALTER ROLE {_NAME} IN DATABASE) {_NAME}")
_SETTING = re.compile(r'ALTER DATABASE "(?:[^"]|"")+" SET "?([\w.$-]+)"? TO ')
_OVER_VALUES = frozenset(
    [
        "timezone",
        "timezone_abbreviations",
        "datestyle",
        "intervalstyle",
        "extra_float_digits",
        "bytea_output",
        "xmlbinary",
        "lc_monetary",
        "lc_numeric",
        "lc_time",
        "default_text_search_config",
    ]
)
"""Settings by which values are read, written and computed, besides those that applications invent, with a dot."""
_RULES = re.compile(r"^CREATE DATABASE .* ICU_RULES = '((?:[^']|'')*)'", re.MULTILINE)
_VALUE = re.compile(r"(?<= SET )(\S+) (?:TO|=) .*|(?<=COMMENT ON DATABASE )(.*?) IS .*", re.DOTALL)
_STATEMENT = re.compile(r"""(?:[^'";]|'(?:[^']|'')*'|"(?:[^"]|"")*")*;""")
_NOT_SQL = re.compile(r"(?:\s+|--.*|\\.*)*")
"""What stands between two statements: comments, and what is spoken to psql."""


@dataclass(frozen=True, slots=True)
class Property:
    """One statement about a database, with our name in it."""

    statement: str

    @property
    def said(self) -> str:
        """The statement as people may read it: the value of a setting could be a secret."""
        return _VALUE.sub(lambda match: match.group(1) or match.group(2), self.statement).rstrip(";")

    @property
    def is_over_values(self) -> bool:
        """Whether a materialized view may show something else without it, or an amount of money be another one."""
        found = _SETTING.match(self.statement)
        name = found.group(1).lower() if found else ""
        return "." in name or name in _OVER_VALUES or bool(_AS_IT_READS.match(self.statement))


def properties_of(script: str, name: str) -> tuple[Property, ...]:
    """Pick the statements about the database itself out of what pg_restore writes to make it."""
    quoted = '"' + name.replace('"', '""') + '"'
    return tuple(
        Property(_OWN.sub(lambda match: f"{match.group(1)} {quoted}", one, count=1))
        for one in _statements(script)
        if _OWN.match(one) or _AS_IT_READS.match(one)
    )


def apply_over_values(session: Session, properties: tuple[Property, ...]) -> None:
    """Give a database, before it has any row, the settings that decide over values. What is refused is said at the end.

    All others come with the rest, when all is there: they are for an application, and would strike whoever restores.
    """
    apply(session, tuple(one for one in properties if one.is_over_values))


def sorting_rules(script: str) -> str:
    """Read the rules of its own by which an ICU database sorts, which can be given only when it is made."""
    found = _RULES.search(script)
    return found.group(1).replace("''", "'") if found else ""


def apply(session: Session, properties: tuple[Property, ...]) -> tuple[str, ...]:
    """Give a database its own properties, and say which of them cannot be given here."""
    refused: list[str] = []
    for one in properties:
        # Text of a backup, run as it is; a percent sign in it is no parameter.
        literal = cast("LiteralString", one.statement.replace("%", "%%"))
        statement = Query(name="a property of the database", text=literal, row=type(None), purpose="from the backup")
        try:
            session.run(statement)
        except MissingRight:
            refused.append(f"{session.facts.role} may not do: {one.said}")
        except (StatementRejected, RowsBroken) as error:
            # A setting of an older version, or of a role that is not here: no reason to throw hours of work away.
            refused.append(f"this could not be done here: {one.said}: {error.message}")
    return tuple(refused)


def _statements(script: str) -> Generator[str]:
    """Give one statement after the other. A line of a comment may look like another one, so it is read as SQL is."""
    while found := _STATEMENT.match(script := script[_end_of_noise(script) :]):
        yield found.group()
        script = script[found.end() :]


def _end_of_noise(script: str) -> int:
    found = _NOT_SQL.match(script)
    return found.end() if found else 0
