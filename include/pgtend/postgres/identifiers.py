"""Names and numbers that stand in a statement itself, quoted by the driver; other rooms need not know which driver."""

from __future__ import annotations

from psycopg.sql import Composable, Identifier, Literal


def relation(schema: str, name: str) -> Identifier:
    """Name a table, an index or anything else that lives in a schema."""
    return Identifier(schema, name)


def column(name: str) -> Identifier:
    """Name a column."""
    return Identifier(name)


def number(value: int) -> Literal:
    """Write a number where PostgreSQL takes no parameter."""
    return Literal(value)


__all__ = ["Composable", "Identifier", "column", "number", "relation"]
