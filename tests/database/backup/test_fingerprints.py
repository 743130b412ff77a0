"""The fingerprint of a table: the same wherever the same rows are, and another for the smallest difference."""

from __future__ import annotations

import pytest

from bed.clusters import LiveDatabase, asked
from pgtend.backup.facts import READ_RELATIONS
from pgtend.backup.fingerprints import hash_rows, hashed_columns, reader, work_alone
from pgtend.backup.manifest import parse_fingerprints
from pgtend.backup.model import Look
from pgtend.backup.record import Coverage
from pgtend.fleet.model import Limits

FOLD = "CREATE COLLATION public.fold (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
EVERY_TYPE = """
CREATE TABLE public.probe AS SELECT
    x AS int4, x::int2 AS int2, x::int8 * 10000000000 AS int8, x > 2 AS bool, x / 7.0::float4 AS f4,
    x / 7.0::float8 AS f8, (x / 8.0)::numeric(9, 4) AS num, 'text ' || x AS words, ('v' || x)::varchar(9) AS vc,
    rpad('c', x)::char(6) AS ch, decode(md5(x::text), 'hex') AS bytes, md5(x::text)::uuid AS id,
    date '2026-02-27' + x AS day, time '23:00' + x * interval '7 min' AS hour, interval '1 month' * x AS span,
    timestamp '2026-02-27' + x * interval '1 hour' AS at, timestamptz '2026-02-27+00' + x * interval '1 hour' AS atz,
    jsonb_build_object('a', x) AS doc, ARRAY[x, NULL] AS list, int4range(x, 9) AS part,
    NULLIF(x, 3) AS hole, point(x, 1) AS spot, '10.0.0.1'::inet + x AS host
FROM generate_series(1, 5) AS x
"""


def digest(database: LiveDatabase, *, coverage: Coverage = Coverage.FULL, one_in: int = 1) -> str:
    """Hash the rows of the table `probe`, and give their number and digest."""
    with reader(database.superuser, Limits(), application="pgtend:test") as session:
        (table,) = (one for one in session.rows(READ_RELATIONS) if one.name == "probe")
        hashed = hash_rows(session, Look(table=table, coverage=coverage, one_in=one_in))
    return f"{hashed.rows}:{hashed.digest}"


def test_the_same_rows_have_the_same_digest_on_every_version(database: LiveDatabase) -> None:
    """A backup of an old server is compared with a copy on a new one, so the digests are written out here."""
    database.run(EVERY_TYPE)
    assert digest(database) == "5:-1917255151124339477"


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("numeric", "1.0", "1.00"),
        ("float8", "'0'", "'-0'"),
        ("float4", "'0'", "'-0'"),
        ("interval", "'1 month'", "'30 days'"),
        ("text", "''", "NULL"),
        ("bpchar", "'a'", "'a  '"),
        ('text COLLATE public."fold"', "'Ann'", "'ANN'"),
        ("jsonb", "'1.0'", "'1.00'"),
        ("numeric[]", "'{1.0}'", "'{1.00}'"),
        ("int8", "4294967296", "1"),
        ("timestamptz", "'2000-01-01 00:00:00.000001+00'", "'2000-01-01 00:00:00.000002+00'"),
        ("date", "'infinity'", "'-infinity'"),
        ("bytea", "''", "'\\x00'"),
    ],
)
def test_values_that_are_only_equal_make_another_digest(
    database: LiveDatabase, kind: str, one: str, other: str
) -> None:
    """What a type calls equal may still not be the same, and a restore that changes it is not identical."""
    insert = f"INSERT INTO public.probe VALUES ({one})"  # noqa: S608 - a value of this test
    database.run(FOLD, f"CREATE TABLE public.probe (value {kind})", insert)
    before = digest(database)
    database.run(f"UPDATE public.probe SET value = {other}")  # noqa: S608 - a value of this test
    assert digest(database) != before


@pytest.mark.pg(">= 18")
def test_two_rows_that_swap_a_value_make_another_digest(database: LiveDatabase) -> None:
    """The hash of a record alone is a sum over its columns, which would not show it."""
    database.run(
        "CREATE TABLE public.probe (id int, note text)",
        "INSERT INTO public.probe VALUES (1, 'one'), (2, 'two')",
    )
    before = digest(database)
    database.run("UPDATE public.probe SET note = CASE id WHEN 1 THEN 'two' ELSE 'one' END")
    assert digest(database) != before
    database.run("UPDATE public.probe SET note = CASE id WHEN 1 THEN 'one' ELSE 'two' END")
    assert digest(database) == before


@pytest.mark.pg(">= 18")
def test_a_row_that_is_there_twice_makes_another_digest(database: LiveDatabase) -> None:
    """Two equal rows do not cancel each other."""
    database.run("CREATE TABLE public.probe (id int)", "INSERT INTO public.probe VALUES (1)")
    assert digest(database) == "1:-3670598878359251130"
    database.run("INSERT INTO public.probe VALUES (7), (7)")
    assert digest(database) == "3:-10248501728349212860"


@pytest.mark.pg(">= 18")
def test_a_sample_is_made_of_the_same_keys_wherever_they_lie(database: LiveDatabase) -> None:
    """All rows are counted; a row whose key is in no sample may change, and another place on disk changes nothing."""
    database.run(
        "CREATE TABLE public.probe (id int PRIMARY KEY, note text)",
        "INSERT INTO public.probe SELECT x, 'note ' || x FROM generate_series(1, 100) AS x",
    )
    before = digest(database, coverage=Coverage.SAMPLE, one_in=4)
    assert before == "100:-14812951723860506595"
    database.run("CREATE INDEX by_note ON public.probe (note DESC)", "CLUSTER public.probe USING by_note")
    assert digest(database, coverage=Coverage.SAMPLE, one_in=4) == before


def test_a_fingerprint_of_an_older_format_can_be_read() -> None:
    """It said how it was made; what is asked of it now is whether there is one for each table."""
    line = b'{"schema": "public", "name": "probe", "digest": "12", "hashing": "text", "one_in": 1, "key": []}\n'
    (old,) = parse_fingerprints(line, "x")
    assert (str(old), old.digest) == ("public.probe", "12")


@pytest.mark.pg(">= 18")
def test_a_type_that_is_only_called_like_one_of_postgresql_is_hashed_by_its_looks(database: LiveDatabase) -> None:
    """Its owner may say what a cast to text gives, and here it gives the same for everything."""
    database.run(
        "CREATE TYPE public.numeric AS ENUM ('low', 'high')",
        "CREATE FUNCTION public.hide(public.numeric) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'hidden'",
        "CREATE CAST (public.numeric AS text) WITH FUNCTION public.hide(public.numeric)",
        "CREATE DOMAIN public.small AS pg_catalog.int4",
        "CREATE TABLE public.probe (level public.numeric, size public.small, price pg_catalog.numeric)",
        "INSERT INTO public.probe VALUES ('low', 1, 1.0)",
    )
    with reader(database.superuser, Limits(), application="pgtend:test") as session:
        (table,) = (one for one in session.rows(READ_RELATIONS) if one.name == "probe")
    assert (table.columns, table.types) == (["level", "price", "size"], ["", "numeric", ""])
    before = digest(database)
    database.run("UPDATE public.probe SET level = 'high'")
    assert digest(database) != before


def test_statistics_decide_how_fast_a_large_table_is_hashed_and_never_to_which_number(database: LiveDatabase) -> None:
    """A NULL that came after the last ANALYZE counts as it would if nobody had told that there is none."""
    database.run(
        "CREATE TABLE public.probe (id int NOT NULL, full_to_the_brim int, now_and_then int, note text)",
        "ALTER TABLE public.probe ALTER note SET STORAGE PLAIN",
        "INSERT INTO public.probe"
        " SELECT x, x, NULLIF(mod(x, 2), 0), repeat('x', 7000) FROM generate_series(1, 1100) AS x",
    )
    assert expected_empty(database) == ["full_to_the_brim", "note", "now_and_then"]
    known = digest(database)
    database.run("ANALYZE public.probe")
    assert expected_empty(database) == ["now_and_then"]
    assert digest(database) == known
    database.run("UPDATE public.probe SET full_to_the_brim = NULL, note = NULL WHERE id = 7")
    misled = digest(database)
    database.run("ANALYZE public.probe")
    assert expected_empty(database) == ["full_to_the_brim", "note", "now_and_then"]
    assert digest(database) == misled != known


def expected_empty(database: LiveDatabase) -> list[str]:
    """Name the columns of the table `probe` in which NULL is expected."""
    with reader(database.superuser, Limits(), application="pgtend:test") as session:
        (table,) = (one for one in session.rows(READ_RELATIONS) if one.name == "probe")
        return [one.name for one in hashed_columns(session, table) if not one.is_required]


@pytest.mark.pg(">= 18")
def test_who_hashes_beside_others_asks_for_no_helpers(database: LiveDatabase) -> None:
    """A dump and a hash have a core each; workers that the server adds would take it from them."""
    counted = asked("SELECT count(*)::text AS word FROM pg_settings WHERE name = %(name)s AND setting = '0'")
    with reader(database.superuser, Limits(), application="pgtend:test") as session:
        assert session.row(counted, {"name": "max_parallel_workers_per_gather"}).word == "0"
        work_alone(session)
        assert session.row(counted, {"name": "max_parallel_workers_per_gather"}).word == "1"
