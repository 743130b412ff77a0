"""Every statement of the library, held against what a real server says about it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from psycopg import pq, sql

import pgtend
from bed.clusters import asked, statement
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Document, Query
from pgtend.statements.columns import sources

INCLUDE = Path(pgtend.__file__).parent
# What stands in braces in any statement, filled in with something that exists in a database of the test.
SAMPLES: Mapping[str, sql.Composable] = {
    "table": sql.Identifier("public", "sample"),
    "column": sql.Identifier("seen_at"),
    "target": sql.Literal(100),
    "role": sql.Identifier("postgres"),
    "password": sql.Literal("worthless"),
    "database": sql.Identifier("postgres"),
    "name": sql.Literal("00000003-0000001B-1"),
    "tables": sql.Identifier("public", "sample"),
    "columns": sql.SQL("id, seen_at"),
    "key": sql.Identifier("id"),
    "one_in": sql.Literal(2),
    "old": sql.Identifier("postgres"),
    "new": sql.Identifier("other"),
    "encoding": sql.Literal("UTF8"),
    "collate": sql.Literal("C"),
    "ctype": sql.Literal("C"),
    "locale": sql.Literal("C"),
    "rules": sql.Literal("&a < g"),
    "conninfo": sql.Literal("host=/nowhere"),
    "extension": sql.Identifier("amcheck"),
    "version": sql.Literal("1.0"),
    "constraint": sql.Identifier("rule"),
    "question": sql.SQL("SELECT 1"),
    "written": sql.SQL("DISCARD PLANS"),
    "schema": sql.Identifier("public"),
    "statement": sql.SQL("SELECT 1"),
    "ranking": sql.Identifier("exec_ms"),
    "values": sql.SQL("(NULL)"),
    "milliseconds": sql.Literal(100),
    **{counter: sql.SQL("NULL") for counter in sources(())},
    "these": sql.SQL("true"),
    "sampled": sql.SQL("TABLESAMPLE SYSTEM (5) REPEATABLE (1)"),
    "archive": sql.Identifier("public", "sample"),
    "partition": sql.Identifier("public", "sample"),
    "landing": sql.Identifier("public", "sample"),
    "live": sql.Identifier("public", "sample"),
    "restored": sql.Identifier("public", "sample"),
    "overriding": sql.SQL("OVERRIDING SYSTEM VALUE"),
    "view": sql.Identifier("public", "sample_all"),
    "policy": sql.Identifier("own_rows"),
    "kind": sql.SQL("PERMISSIVE"),
    "roles": sql.SQL("PUBLIC"),
    "condition": sql.SQL("true"),
    "comment": sql.Literal("a sample"),
    "time": sql.Identifier("seen_at"),
    "low": sql.Literal("2026-01-01"),
    "high": sql.Literal("2026-02-01"),
    "month": sql.SQL("seen_at::date"),
    "day": sql.SQL("seen_at::date"),
    "within": sql.SQL("seen_at < '2026-01-01'"),
    "due": sql.SQL("seen_at < '2026-01-01'"),
    "hashed": sql.Identifier("id"),
    "taken": sql.Identifier("id"),
    "free": sql.SQL("true"),
    "algorithm": sql.Literal("a sum of hashes"),
    "percent": sql.Literal(1.5),
    "index": sql.Identifier("public", "sample_pkey"),
    "shape": sql.SQL("USING btree (id)"),
    "sample": sql.Identifier("public", "padded"),
    "widest": sql.Literal(0),
    "spread": sql.Identifier("public", "spread"),
    "keys": sql.Identifier("public", "keys"),
    "named": sql.SQL("id AS pgtend_1, seen_at AS pgtend_2"),
    "names": sql.SQL("pgtend_1, pgtend_2"),
    "chosen": sql.SQL("place > 0"),
    "absences": sql.SQL("pgtend_1 IS NULL, pgtend_2 IS NULL"),
}
SAMPLE_TABLE = "CREATE TABLE public.sample (id int PRIMARY KEY, seen_at timestamptz)"
KEYS_TABLE = """CREATE TABLE public.keys (
    pgtend_1 int, times bigint, stratum int, entry int, absent text, turn bigint, place bigint
)"""
SPREAD_TABLE = "CREATE TABLE public.spread (pointer tid, pgtend_filler text)"
PADDED_TABLE = "CREATE TABLE public.padded (id int, seen_at timestamptz, pgtend_filler text)"
# What psycopg makes of a type: numeric becomes a Decimal, so a sum of bigint is no int without a cast.
_TYPES: Mapping[type, frozenset[str]] = {
    bool: frozenset({"bool"}),
    int: frozenset({"int2", "int4", "int8", "oid"}),
    float: frozenset({"float4", "float8"}),
    str: frozenset({"text", "name", "varchar", "bpchar"}),
    bytes: frozenset({"bytea"}),
    Decimal: frozenset({"numeric"}),
    date: frozenset({"date"}),
    datetime: frozenset({"timestamptz"}),
    timedelta: frozenset({"interval"}),
}


# A function that answers nothing has this type, which psycopg has no name for.
_VOID = 2278


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the server describes it."""

    name: str
    kind: str


class NotPrepared(Exception):
    """A server does not accept a statement."""


def statement_files(include: Path = INCLUDE) -> dict[Path, str]:
    """Read every statement that a room owns."""
    return {path: path.read_text(encoding="utf-8") for path in include.glob("**/sql/*.sql")}


def declared_queries() -> list[Query[object]]:
    """Import the whole library, and collect the constants that stand for its statements."""
    found: dict[int, Query[object]] = {}
    for module in pkgutil.walk_packages(pgtend.__path__, "pgtend."):
        for value in vars(importlib.import_module(module.name)).values():
            found.update({id(query): query for query in _queries_in(value)})
    return sorted(found.values(), key=lambda query: query.name)


def undeclared(files: Mapping[Path, str], queries: Iterable[Query[object]]) -> list[str]:
    """Name the files that no constant reads, those that two constants read, and constants that read no file."""
    read = [(query.name, str(query.text)) for query in queries]
    owned = {(path.stem, text) for path, text in files.items()}
    problems = [
        f"{path} is read by {read.count((path.stem, text))} constants"
        for path, text in files.items()
        if read.count((path.stem, text)) != 1
    ]
    return problems + [f"{name} is read from no file" for name, text in read if (name, text) not in owned]


def describe(session: Session, query: Query[object]) -> list[Column]:
    """Let the server prepare a statement, and tell which columns it gives."""
    connection = session.connection.pgconn
    prepared = connection.prepare(b"", _with_numbers(session, query).encode())
    if prepared.status != pq.ExecStatus.COMMAND_OK:
        raise NotPrepared(prepared.error_message.decode().strip())
    described = connection.describe_prepared(b"")
    return [
        Column((described.fname(number) or b"").decode(), _kind(session, described.ftype(number)))
        for number in range(described.nfields)
    ]


def mismatches(query: Query[object], columns: list[Column]) -> list[str]:
    """Say where the columns of a statement and the fields of its dataclass part."""
    if query.row is type(None):
        answers = [column for column in columns if column.kind != "void"]
        return [f"{query.name} gives columns nobody takes: {_names(answers)}"] if answers else []
    if query.row is Document:
        return [] if len(columns) == 1 else [f"{query.name} gives {_names(columns)} instead of one document"]
    fields = [field.name for field in dataclasses.fields(typing.cast("type", query.row)) if field.init]
    if fields != _names(columns):
        return [f"{query.name} gives {_names(columns)}, {query.row.__name__} takes {fields}"]
    hints = typing.get_type_hints(query.row)
    return [
        f"{query.name}.{column.name} is {column.kind}, {query.row.__name__} says {hints[column.name]}"
        for column in columns
        if not _fits(hints[column.name], column.kind)
    ]


def fits_server(query: Query[object], session: Session) -> bool:
    """Tell whether this server is new enough for a statement, and has the extension that it calls."""
    return session.facts.major >= query.needs and (not query.extension or query.extension in installed(session))


def make_extensions(session: Session, queries: Iterable[Query[object]]) -> None:
    """Install what the statements call, as far as this server has it."""
    offered = asked("SELECT name::text AS word FROM pg_available_extensions WHERE name = ANY (%(names)s)")
    names = sorted({query.extension for query in queries if query.extension})
    for found in session.rows(offered, {"names": names}):
        session.run(statement("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public"), name=sql.Identifier(found.word))


def installed(session: Session) -> frozenset[str]:
    """Name the extensions of a database."""
    return frozenset(row.word for row in session.rows(asked("SELECT extname::text AS word FROM pg_extension")))


def _queries_in(value: object) -> Iterator[Query[object]]:
    if isinstance(value, Query):
        yield typing.cast("Query[object]", value)
    elif isinstance(value, dict):
        for inner in typing.cast("dict[object, object]", value).values():
            yield from _queries_in(inner)
    elif isinstance(value, tuple | list):
        for inner in typing.cast("tuple[object, ...]", value):
            yield from _queries_in(inner)


def _with_numbers(session: Session, query: Query[object]) -> str:
    """Write a statement as the protocol wants it: identifiers filled in, parameters numbered."""
    text = str(query.text)
    for name in set(re.findall(r"\{([a-z_]+)\}", text)):
        if name not in SAMPLES:
            raise NotPrepared(f"no sample for {{{name}}}: add one to tests/bed/statements.py")
        text = text.replace(f"{{{name}}}", SAMPLES[name].as_string(session.connection))
    order: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        if match.group(1) not in order:
            order.append(match.group(1))
        return f"${order.index(match.group(1)) + 1}"

    return re.sub(r"%\((\w+)\)s", numbered, text).replace("%%", "%")


def _kind(session: Session, oid: int) -> str:
    if oid == _VOID:
        return "void"
    known = session.connection.adapters.types.get(oid)
    return known.name if known else "unknown"


def _names(columns: list[Column]) -> list[str]:
    return [column.name for column in columns]


def _fits(hint: object, kind: str) -> bool:
    """Judge plain types; what a type means beyond them, a test of the room knows better."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return any(_fits(part, kind) for part in typing.get_args(hint) if part is not type(None))
    return not isinstance(hint, type) or hint not in _TYPES or kind in _TYPES[hint]
