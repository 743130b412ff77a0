"""Which indexes can be built as soon as their own table has its rows, while other tables still get theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pgtend.postgres.encodings import unquoted

TableKey: TypeAlias = tuple[str, str]
"""The schema and the name of a table."""
_NAME = r'("(?:[^"]|"")+"|[^".\s(]+)'
_HEADER = re.compile(r"^-- Name: (.*); Type: (INDEX|CONSTRAINT); Schema: (.*); Owner: .*$", re.MULTILINE)
_TABLE = re.compile(
    rf"\n--\n\n(?:CREATE (?:UNIQUE )?INDEX {_NAME} ON (?:ONLY )?|ALTER TABLE (?:ONLY )?){_NAME}\.{_NAME}\s"
)
_LISTED = re.compile(r"^\d+; \d+ \d+ ((?:INDEX|CONSTRAINT) (?!ATTACH ).*)$")


def builds_of_tables(contents: Sequence[str], script: str) -> Mapping[TableKey, Sequence[str]]:
    """Tell which entries of the last section make indexes and keys of which table.

    A list of contents does not say to which table an index belongs, so this is read from the statements. Where one name
    fits two of them, neither is told: what is not known to be possible early is done at the end, with all the rest.
    """
    tables = _tables_of(script)
    found: dict[TableKey, list[str]] = {}
    for line in contents:
        table = _table_of(line, tables)
        if table:
            found.setdefault(table, []).append(line)
    return found


def _tables_of(script: str) -> Mapping[str, TableKey | None]:
    """Tell by kind, schema and name of an entry which table it is about, and nothing of names that come twice."""
    tables: dict[str, TableKey | None] = {}
    pieces = _HEADER.split(script)
    for name, kind, schema, body in zip(pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True):
        key, match = f"{kind} {schema} {name}", _TABLE.match(body)
        known = (unquoted(match.group(2)), unquoted(match.group(3))) if match else None
        tables[key] = None if key in tables else known
    return tables


def _table_of(line: str, tables: Mapping[str, TableKey | None]) -> TableKey | None:
    """Look for an entry, whose owner stands behind its name and may be of several words."""
    listed = _LISTED.match(line)
    words = listed.group(1).split(" ") if listed else []
    keys = (" ".join(words[:count]) for count in range(len(words) - 1, 2, -1))
    return next((tables[key] for key in keys if key in tables), None)
