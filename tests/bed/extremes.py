"""Databases at the edge: a thousand partitions, a row of 200 MB, and one without an encoding."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager

from bed.clusters import LiveDatabase, statement
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer


def fill_partitions(live: LiveDatabase, count: int) -> None:
    """Make a table of so many partitions, each with five rows, a key and an index."""
    partition = "CREATE TABLE public.reading_%%s PARTITION OF public.reading FOR VALUES FROM (%%s) TO (%%s)"
    live.run(
        "CREATE TABLE public.reading (id bigint GENERATED ALWAYS AS IDENTITY, day int, value float8,"
        " PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE INDEX reading_by_value ON public.reading (value)",
        f"DO $$ BEGIN FOR d IN 0..{count - 1} LOOP EXECUTE format('{partition}', d, d, d + 1); END LOOP; END $$",
        f"DO $$ BEGIN FOR x IN 1..{count * 5} LOOP"  # noqa: S608 - numbers of ours
        f" INSERT INTO public.reading (day, value) VALUES (mod(x, {count}), x / 7.0); END LOOP; END $$",
    )


def fill_wide_row(live: LiveDatabase, megabytes: int) -> None:
    """Make a table with one row of so many megabytes that hardly compress, between two ordinary ones."""
    wide = (
        "SELECT 2, string_agg(encode(sha512(x::text::bytea), 'hex'), '' ORDER BY x)"  # noqa: S608 - a number of ours
        f" FROM generate_series(1, {megabytes * 8192}) AS x"
    )
    live.run(
        "CREATE TABLE public.scan (id int PRIMARY KEY, content text)",
        "INSERT INTO public.scan VALUES (1, 'before'), (3, 'after')",
        f"INSERT INTO public.scan {wide}",
    )


@contextmanager
def made_with(server: ThrowawayServer, options: str) -> Generator[LiveDatabase]:
    """Make a database that reads or sorts in a way of its own."""
    name = f"t{secrets.token_hex(5)}"
    with server.session() as session:
        session.run(statement(f"CREATE DATABASE {{name}} TEMPLATE template0 {options}"), name=called(name))
    try:
        yield LiveDatabase(server, name, server.superuser(name))
    finally:
        with server.session() as session:
            session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


@contextmanager
def without_encoding(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Make a database without an encoding (SQL_ASCII), whose text is valid in no other."""
    with made_with(server, "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'") as live:
        live.run(
            "CREATE TABLE public.note (id int PRIMARY KEY, text text)",
            r"INSERT INTO public.note SELECT x, convert_from(decode('e9fe80ff', 'hex'), 'SQL_ASCII') || x"
            " FROM generate_series(1, 500) AS x",
        )
        yield live
