"""Names and numbers that stand in a statement itself, quoted by the driver; other rooms need not know which driver."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import LiteralString, cast

from psycopg.sql import SQL, Composable, Identifier, Literal


def relation(schema: str, name: str) -> Identifier:
    """Name a table, an index or anything else that lives in a schema."""
    return Identifier(schema, name)


def column(name: str) -> Identifier:
    """Name a column."""
    return Identifier(name)


def database(name: str) -> Identifier:
    """Name a database or a role."""
    return Identifier(name)


def columns(names: Iterable[str]) -> Composable:
    """List columns."""
    return SQL(", ").join(Identifier(name) for name in names)


def first_known(names: Iterable[str], known: Collection[str]) -> Composable:
    """Name the first column that there is, or NULL: other versions call it otherwise or do not have it."""
    return next((Identifier(name) for name in names if name in known), SQL("NULL"))


def only_relations(names: Iterable[tuple[str, str]]) -> Composable:
    """List relations, each without those that inherit from it."""
    return SQL(", ").join(SQL("ONLY {}").format(relation(schema, name)) for schema, name in names)


def number(value: int) -> Literal:
    """Write a number where PostgreSQL takes no parameter."""
    return Literal(value)


def whole_statement(text: str) -> Composable:
    """Put a statement that is not ours into one of ours, such as EXPLAIN; whoever does this has read it first."""
    return SQL(cast("LiteralString", text))


def decimal(value: float) -> Literal:
    """Write a number with a fraction where PostgreSQL takes no parameter."""
    return Literal(value)


def text(value: str) -> Literal:
    """Write a text where PostgreSQL takes no parameter."""
    return Literal(value)


def expression(template: LiteralString, **parts: Composable) -> Composable:
    """Write a part of a statement around names and values."""
    return SQL(template).format(**parts)


def listed(parts: Iterable[Composable]) -> Composable:
    """List parts of a statement."""
    return SQL(", ").join(parts)


def all_of(conditions: Iterable[Composable]) -> Composable:
    """Ask for several things at once."""
    return SQL(" AND ").join(SQL("({})").format(condition) for condition in conditions)


def joined(parts: Iterable[Composable]) -> Composable:
    """Write parts of a statement one after the other."""
    return SQL("").join(parts)


def once(part: Composable) -> Composable:
    """Write a part of a statement once for all the times that it is used."""
    return SQL(cast("LiteralString", part.as_string(None)))


def from_catalogue(definition: str) -> Composable:
    """Repeat what the server itself wrote about an object of its own: a type, the condition of a policy."""
    return SQL(cast("LiteralString", definition))


def written(statement: str) -> Composable:
    """Take over a statement that a person wrote into the fleet file, or that stands in a backup, as it is."""
    return SQL(cast("LiteralString", statement))


__all__ = [
    "Composable",
    "Identifier",
    "all_of",
    "column",
    "columns",
    "database",
    "decimal",
    "expression",
    "first_known",
    "from_catalogue",
    "joined",
    "listed",
    "number",
    "once",
    "only_relations",
    "relation",
    "text",
    "whole_statement",
    "written",
]
