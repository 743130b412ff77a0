"""The schema we declare, and how a ledger differs from it: a trigger somebody dropped is a finding, not a detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from pgtend.postgres.session import Session
from pgtend.sqlfiles import query


@dataclass(frozen=True, slots=True)
class SchemaLine:
    """One table, column, constraint, index, trigger, view, function or grant."""

    line: str


READ_SCHEMA = query(__package__ or "", "read_schema", SchemaLine)


def declared_schema() -> tuple[str, ...]:
    """Read the schema that all migrations together must give."""
    text = (files(__package__ or "") / "schema.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def read_schema(session: Session) -> tuple[str, ...]:
    """Read the schema a ledger really has."""
    return tuple(found.line for found in session.rows(READ_SCHEMA))


def drift(found: Sequence[str], declared: Sequence[str]) -> tuple[str, ...]:
    """Name what is missing and what nobody declared."""
    missing = [f"missing: {line}" for line in declared if line not in set(found)]
    unknown = [f"unknown: {line}" for line in found if line not in set(declared)]
    return tuple(missing + unknown)
