"""Fidelity where a database is set up in a way of its own: settings, triggers and texts that reach into a restore."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.restoring import Stage, names_like
from pgtend.backup import snapshot
from pgtend.backup.gathering import read_sequences
from pgtend.backup.record import Role, Sequence
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.session import Session


@pytest.fixture
def odd(stage: Stage) -> Generator[LiveDatabase]:
    """Give a database, and take along what was restored from it."""
    with new_database(stage.server) as made:
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def fill(odd: LiveDatabase, *statements: str) -> None:
    """Run statements in which names without a schema are those of `public`."""
    odd.run("SET search_path = public", *(one.replace("{db}", odd.name) for one in statements))


def comes_back(stage: Stage, odd: LiveDatabase) -> str:
    """Back it up, verify that, restore it, and hold both against each other; tell what the copy is called."""
    name = f"{odd.name}_back"
    stage.take(odd.name)
    assert verify_backup(stage.vault, stage.backup().entry.manifest, stage.private, quietly).faults == ()
    assert stage.restore(name, jobs=2).differences == ()
    assert stage.schema_differences(odd.name, name) == []
    return name


def told(odd: LiveDatabase, name: str, question: str) -> str:
    """Ask a database for one word."""
    with odd.session(odd.server.superuser(name)) as session:
        return session.row(asked(f"SELECT ({question}) AS word")).word


def is_told_alike(odd: LiveDatabase, name: str, question: str) -> bool:
    """Whether the copy answers as the original does."""
    return told(odd, odd.name, question) == told(odd, name, question)


OF_ITSELF = (
    "SELECT concat_ws(' ', d.datconnlimit, d.datacl, shobj_description(d.oid, 'pg_database'),"
    " (SELECT s.setconfig FROM pg_db_role_setting AS s WHERE s.setdatabase = d.oid))"
    " FROM pg_database AS d WHERE d.datname = current_database()"
)


def test_text_that_looks_like_a_statement_about_the_database_is_not_run(stage: Stage, odd: LiveDatabase) -> None:
    """Comments and functions hold notes on how to do something: nobody asked for it to be done."""
    notes = "how to:\nALTER DATABASE anything CONNECTION LIMIT 7;\nGRANT CREATE ON DATABASE anything TO PUBLIC;\n"
    header = "-- Name: x; Type: DATABASE PROPERTIES; Schema: -; Owner: -\n"
    fill(
        odd,
        f"COMMENT ON SCHEMA public IS '{notes}'",
        f"COMMENT ON DATABASE {odd.name} IS '{notes}{header}{notes}'",
        f"CREATE FUNCTION note() RETURNS text LANGUAGE sql AS $$ SELECT '\n{header}{notes}' $$",
        "ALTER DATABASE {db} SET my.words = 'semi;colon ''quoted'''",
    )
    assert is_told_alike(odd, comes_back(stage, odd), OF_ITSELF)


def test_what_needs_a_primary_key_comes_back_with_its_indexes_beside_partitions(
    stage: Stage, odd: LiveDatabase
) -> None:
    """PostgreSQL makes it after the rows, and its indexes after it."""
    fill(
        odd,
        "CREATE TABLE reading (day int) PARTITION BY RANGE (day)",
        "CREATE TABLE reading_all PARTITION OF reading DEFAULT",
        "CREATE TABLE patient (id int PRIMARY KEY, name text)",
        "INSERT INTO patient VALUES (1, 'x')",
        "CREATE VIEW known AS SELECT id, name FROM patient GROUP BY id",
        "CREATE MATERIALIZED VIEW latest AS SELECT id, name FROM patient GROUP BY id",
        "CREATE UNIQUE INDEX ON latest (id)",
        "CREATE MATERIALIZED VIEW later AS SELECT k.id, l.name FROM known AS k JOIN latest AS l USING (id)",
        "CREATE INDEX ON later (name)",
        "CREATE FUNCTION named(int) RETURNS text IMMUTABLE"
        " BEGIN ATOMIC SELECT min(k.name) FROM (SELECT id, name FROM patient GROUP BY id) AS k WHERE k.id = $1; END",
        "CREATE TABLE visit (patient int)",
        "CREATE INDEX ON visit (named(patient))",
    )
    assert told(odd, comes_back(stage, odd), "SELECT count(*)::text FROM public.later") == "1"


def test_settings_that_change_how_definitions_are_written_change_no_comparison(stage: Stage, odd: LiveDatabase) -> None:
    """The copy gets them when it was compared, so they must not strike the original either."""
    fill(
        odd,
        r"CREATE TABLE letter (id text DEFAULT E'a\\b')",
        r"CREATE VIEW seen AS SELECT id FROM letter WHERE id = E'x\\y'",
        r"COMMENT ON DATABASE {db} IS E'back\\slash ''quoted'''",
        r"ALTER DATABASE {db} SET my.path = E'c:\\x'",
        "ALTER DATABASE {db} SET quote_all_identifiers = on",
        "ALTER DATABASE {db} SET standard_conforming_strings = off",
    )
    assert is_told_alike(odd, comes_back(stage, odd), OF_ITSELF)


def test_rows_travel_in_the_encoding_of_their_database(stage: Stage, odd: LiveDatabase) -> None:
    """What the sessions of an application speak is their affair, and not that of a dump."""
    fill(
        odd,
        'CREATE TABLE "größe" (id text)',
        "INSERT INTO \"größe\" SELECT '日本 ' || repeat('x', 100) FROM generate_series(1, 2000)",
        "ALTER DATABASE {db} SET client_encoding = 'LATIN1'",
    )
    comes_back(stage, odd)
    assert stage.catalogue().entries[-1].manifest.parts_of(Role.TABLE)


@pytest.mark.pg(">= 18")
def test_a_trigger_on_logins_acts_on_none_of_ours(stage: Stage, odd: LiveDatabase) -> None:
    """It writes down, or turns away, who comes in: neither happens to whoever makes and compares the copy."""
    fill(
        odd,
        "CREATE TABLE login (at timestamptz DEFAULT now())",
        "CREATE FUNCTION enters() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('transaction_read_only')::bool THEN RETURN; END IF;"
        " INSERT INTO public.login DEFAULT VALUES;"
        " IF current_database() LIKE '%%restoring%%' THEN RAISE 'closed'; END IF; END $$",
        "CREATE EVENT TRIGGER entering ON login EXECUTE FUNCTION enters()",
    )
    name = f"{odd.name}_back"
    made = stage.take(odd.name)
    report = stage.restore(name, jobs=2)
    assert (report.differences, report.rows) == ((), made.rows)


@pytest.mark.parametrize("rows", [20, 5000])
def test_partitions_by_the_hash_of_an_enum_come_back(stage: Stage, odd: LiveDatabase, rows: int) -> None:
    """The numbers of its values are others in the copy, and rows land in other partitions: none is lost or doubled."""
    fill(
        odd,
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g')",
        "CREATE TABLE felt (mood mood, n int, note text) PARTITION BY HASH (mood)",
        *(f"CREATE TABLE felt_{n} PARTITION OF felt FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)),
        "INSERT INTO felt SELECT (enum_range(NULL::mood))[1 + mod(n, 7)], n, repeat('x', 90)"  # noqa: S608 - a number
        f" FROM generate_series(1, {rows}) AS n",
    )
    name = comes_back(stage, odd)
    assert is_told_alike(odd, name, "SELECT md5(string_agg(f::text, ',' ORDER BY n)) FROM public.felt AS f")
    odd.run("DELETE FROM public.felt WHERE n = 7", address=stage.server.superuser(name))
    assert stage.compare(name) == [
        f"rows of public.felt_0 and its neighbours: {rows:,} in the backup, {rows - 1:,} restored",
    ]
    odd.run("INSERT INTO public.felt VALUES ('a', 7, 'another')", address=stage.server.superuser(name))
    assert stage.compare(name) == [
        "content of public.felt_0 and its neighbours: one fingerprint in the backup, another restored"
    ]


def test_materialized_views_are_computed_as_the_database_is_set_to(stage: Stage, odd: LiveDatabase) -> None:
    """A day begins by its time zone, and whose rows there are may be a setting of the application."""
    settings = {
        "app.tenant": "'a'",
        "TimeZone": "'Asia/Tokyo'",
        "IntervalStyle": "'sql_standard'",
        "default_text_search_config": "'german'",
    }
    fill(
        odd,
        "CREATE TABLE visit (at timestamptz, tenant text, took interval, note text)",
        "INSERT INTO visit VALUES ('2026-11-01 23:00+00', 'a', '-1 day 02:03:04', 'die Häuser')",
        "INSERT INTO visit VALUES (now(), 'b', '1 day', '')",
        *(f"ALTER DATABASE {{db}} SET {name} = {value}" for name, value in settings.items()),
        *(f"SET {name} = {value}" for name, value in settings.items()),
        "CREATE MATERIALIZED VIEW per_day AS SELECT at::date AS day, took::text AS took, to_tsvector(note) AS words"
        " FROM visit WHERE tenant = current_setting('app.tenant')",
    )
    seen = "SELECT string_agg(concat_ws(' ', to_char(day, 'YYYY-MM-DD'), took, words), ',') FROM public.per_day"
    name = comes_back(stage, odd)
    assert told(odd, name, seen).startswith("2026-11-02 ")
    assert is_told_alike(odd, name, seen)
    assert is_told_alike(odd, name, OF_ITSELF)


@pytest.mark.pg(">= 18")
def test_a_sequence_that_begins_anew_during_the_backup_is_not_behind(
    stage: Stage, odd: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no snapshot: it was looked at before it began anew, and dumped after."""

    def seen_before(session: Session) -> tuple[Sequence, ...]:
        found = read_sequences(session)
        odd.run("SELECT nextval('public.daily'), nextval('public.daily'), nextval('public.daily')")
        return found

    fill(odd, "CREATE SEQUENCE daily MAXVALUE 5 CYCLE", "SELECT setval('daily', 4)")
    monkeypatch.setattr(snapshot, "read_sequences", seen_before)
    assert told(odd, comes_back(stage, odd), "SELECT last_value::text FROM public.daily") == "2"


@pytest.mark.pg(">= 18")
def test_whoever_is_no_superuser_restores_a_table_that_hides_rows_from_its_owner(
    stage: Stage, odd: LiveDatabase
) -> None:
    """The comparison sees all rows, and the copy hides them as the original does."""
    owner = odd.owner
    odd.run(f"ALTER ROLE {owner.user} CREATEDB", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    odd.run(
        "CREATE TABLE public.secret (id int)",
        "INSERT INTO public.secret SELECT generate_series(1, 10)",
        "ALTER TABLE public.secret ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE public.secret FORCE ROW LEVEL SECURITY",
        "CREATE POLICY own ON public.secret USING (id < 3)",
        address=owner,
    )
    name = f"{odd.name}_back"
    stage.take(odd.name)
    report = stage.restore(name, target=owner)
    assert (report.differences, report.rows) == ((), 10)
    forced = "SELECT concat_ws(' ', relrowsecurity, relforcerowsecurity) FROM pg_class WHERE relname = 'secret'"
    assert told(odd, name, forced) == "t t"


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("name", ["a=b", "postgresql://x", 'it\'s "q" ü'])
def test_a_database_of_any_name_is_backed_up(stage: Stage, odd: LiveDatabase, name: str) -> None:
    """Also when the name looks like the way to a database."""
    with stage.server.session() as session:
        session.run(statement("ALTER DATABASE {old} RENAME TO {new}"), old=called(odd.name), new=called(name))
        try:
            stage.take("postgres", address=stage.server.superuser(name))
            assert stage.restore(f"{odd.name}_back").differences == ()
        finally:
            session.run(statement("ALTER DATABASE {old} RENAME TO {new}"), old=called(name), new=called(odd.name))
