"""A backup comes back: under a new name, compared with what was there, and nothing half done stays."""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import replace

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.restoring import Stage, as_of_format, names_like
from pgtend.backup.manifest import parse_manifest, to_json
from pgtend.backup.record import Extension
from pgtend.backup.script import Script
from pgtend.kernel.errors import Misconfigured, PgtendError
from pgtend.kernel.progress import quietly
from pgtend.postgres.errors import MissingRight
from pgtend.postgres.identifiers import database as called
from pgtend.restore.archive import Backup
from pgtend.restore.errors import BadName, KeyNeeded, NothingChosen, TargetExists, TargetUnsuited
from pgtend.restore.job import restore_backup
from pgtend.restore.model import Owners
from pgtend.restore.rows import fill_tables
from pgtend.vault.agekeys import PrivateKeys, new_pair
from pgtend.vault.sealing import KeyUnavailable

SMALL = (
    "CREATE TABLE public.patient (id int PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE public.visit (id serial PRIMARY KEY, patient int REFERENCES public.patient, at date)",
    "INSERT INTO public.patient SELECT n, 'patient ' || n FROM generate_series(1, 3000) AS n",
    "INSERT INTO public.visit (patient, at) SELECT n, '2026-11-01' FROM generate_series(1, 2000) AS n",
    "CREATE MATERIALIZED VIEW public.per_day AS SELECT at, count(*) FROM public.visit GROUP BY at",
)


@pytest.fixture
def origin(stage: Stage) -> Generator[LiveDatabase]:
    """Give a small database, and take along what was restored from it."""
    with new_database(stage.server) as made:
        made.run(*SMALL, address=made.superuser)
        yield made
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def one(origin: LiveDatabase, name: str, question: str) -> str:
    """Ask a restored database for one word."""
    with origin.session(origin.server.superuser(name)) as session:
        return session.row(asked(question)).word


def test_a_restored_database_is_identical(stage: Stage, origin: LiveDatabase) -> None:
    """Rows, fingerprints, sequences, inventory and the schema itself are those of the original."""
    made = stage.take(origin.name)
    name = f"{origin.name}_back"
    report = stage.restore(name)
    assert report.differences == ()
    assert (report.backup_id, report.tables, report.rows) == (made.backup_id, 2, 5000)
    assert "identical in rows, fingerprints, sequences, inventory" in str(report)
    assert stage.schema_differences(origin.name, name) == []
    assert one(origin, name, "SELECT count(*)::text AS word FROM public.per_day") == "1"
    # Born frozen: nobody has to write these pages a second time.
    frozen = "SELECT (relallvisible > 0)::text AS word FROM pg_class WHERE relname = 'patient'"
    assert one(origin, name, frozen) == "true"
    # Known to the planner, materialized views and the new catalogue too.
    known = "SELECT string_agg(DISTINCT tablename, ' ' ORDER BY tablename) AS word FROM pg_stats WHERE tablename = ANY"
    assert one(origin, name, f"{known} ('{{patient,visit,per_day,pg_class}}')") == "patient per_day pg_class visit"
    assert names_like(stage, "pgtend_restoring_") == []


def test_a_table_is_indexed_as_soon_as_it_is_loaded(stage: Stage, origin: LiveDatabase) -> None:
    """Nobody waits with it until the last row of the last table is there; foreign keys do, and come at the end."""
    stage.take(origin.name)
    stage.lines.clear()
    stage.restore(f"{origin.name}_back")
    built = [line for line in stage.lines if line.startswith("built ")]
    loaded = next(number for number, line in enumerate(stage.lines) if line.startswith("load "))
    assert sorted(built) == [
        "built CONSTRAINT public patient patient_pkey postgres",
        "built CONSTRAINT public visit visit_pkey postgres",
    ]
    assert all(stage.lines.index(line) < loaded for line in built)
    keys = (
        "SELECT string_agg(conname, ' ' ORDER BY conname) AS word FROM pg_constraint"
        " WHERE conrelid >= 16384 AND contype <> 'n'"
    )
    assert one(origin, f"{origin.name}_back", keys) == "patient_pkey visit_patient_fkey visit_pkey"


def test_tables_that_nobody_may_empty_are_filled_all_the_same(origin: LiveDatabase) -> None:
    """An owner who gave away the right to empty a table gets its rows back, if not frozen ones."""
    made = ("CREATE TABLE public.log (line text)", "REVOKE TRUNCATE ON public.log FROM CURRENT_USER")
    origin.run(*made, address=origin.owner)
    dump = b"COPY public.log (line) FROM stdin;\none\ntwo\n\\.\n"
    with origin.session(origin.owner) as session:
        with session.transaction():
            fill_tables(session, Script(io.BytesIO(dump)))
        assert session.row(asked("SELECT string_agg(line, ' ') AS word FROM public.log")).word == "one two"


@pytest.mark.pg(">= 18")
def test_rows_that_another_version_hashed_are_counted_and_that_is_said(stage: Stage, origin: LiveDatabase) -> None:
    """A backup of before is restored like any other, and nothing is called identical that nobody compared."""
    stage.take(origin.name)
    name, whole = f"{origin.name}_back", stage.backup()
    older = as_of_format(whole.entry.manifest, 2, algorithm="")
    backup = replace(whole, entry=replace(whole.entry, manifest=parse_manifest(to_json(older), "of before")))
    report = restore_backup(backup, stage.order(name), quietly)
    assert (report.differences, report.rows) == ((), 5000)
    assert "identical in numbers of rows, sequences, inventory" in str(report)
    assert "compared by the number of rows only: public.patient, public.visit" in report.remarks
    (said,) = (remark for remark in report.remarks if remark.startswith("Another version of pgtend"))
    assert said.endswith("rows are counted, and not compared by content.")
    origin.run(
        "UPDATE public.patient SET name = 'x'", "DELETE FROM public.visit", address=origin.server.superuser(name)
    )
    assert stage.compare(name, backup) == ["rows of public.visit: 2,000 in the backup, 0 restored"]


@pytest.mark.pg(">= 18")
def test_a_change_after_the_restore_is_noticed(stage: Stage, origin: LiveDatabase) -> None:
    """The comparison that says identical also says when something is not."""
    stage.take(origin.name)
    name = f"{origin.name}_back"
    stage.restore(name)
    back = origin.server.superuser(name)
    origin.run(
        "UPDATE public.patient SET name = 'somebody else' WHERE id = 7",
        "DELETE FROM public.visit WHERE id = 7",
        "SELECT setval('public.visit_id_seq', 5)",
        "CREATE INDEX ON public.visit (at)",
        address=back,
    )
    assert stage.compare(name) == [
        "content of public.patient: one fingerprint in the backup, another restored",
        "objects of kind index: 2 in the backup, 3 restored",
        "rows of public.visit: 2,000 in the backup, 1,999 restored",
        "sequence public.visit_id_seq: at 2000 in the backup, at 5 restored",
    ]


def test_rights_settings_and_comment_of_the_database_come_back(stage: Stage, origin: LiveDatabase) -> None:
    """They belong to no schema, and most tools forget them."""
    name = f"{origin.name}_back"
    origin.run(
        f'REVOKE ALL ON DATABASE "{origin.name}" FROM PUBLIC',
        f'ALTER DATABASE "{origin.name}" SET search_path = "$user", clinic, public',
        f"ALTER DATABASE \"{origin.name}\" SET work_mem = '7MB'",
        f"COMMENT ON DATABASE \"{origin.name}\" IS 'it''s the clinic''s;\nsecond line'",
    )
    stage.take(origin.name)
    stage.restore(name)
    facts = (
        "SELECT concat_ws('/', pg_get_userbyid(d.datdba) = '{origin}_owner',"
        " has_database_privilege('public', d.oid, 'CONNECT'),"
        " (SELECT array_to_string(setconfig, ';') FROM pg_db_role_setting WHERE setdatabase = d.oid),"
        " shobj_description(d.oid, 'pg_database')) AS word FROM pg_database AS d WHERE datname = current_database()"
    ).replace("{origin}", origin.name)
    assert one(origin, name, facts) == (
        "t/f/search_path=\"$user\", clinic, public;work_mem=7MB/it's the clinic's;\nsecond line"
    )


@pytest.mark.pg(">= 18")
def test_a_setting_that_cannot_be_given_costs_no_restore(stage: Stage, origin: LiveDatabase) -> None:
    """A role that is not here, a parameter that the version no longer knows: said at the end, without its value."""
    gone = origin.new_role("gone").user
    with stage.server.session() as session:
        setting = statement("ALTER ROLE {role} IN DATABASE {name} SET app.token = 'hush hush'")
        session.run(setting, role=called(gone), name=called(origin.name))
        stage.take(origin.name)
        session.run(statement("DROP ROLE {role}"), role=called(gone))
    report = stage.restore(f"{origin.name}_back", owners=Owners.IGNORE)
    (said,) = (remark for remark in report.remarks if "could not be done here" in remark)
    assert said.endswith(f'SET "app.token": role "{gone}" does not exist')
    assert (report.differences, "hush" in str(report.remarks)) == ((), False)


@pytest.mark.pg(">= 18")
def test_nothing_is_restored_over_a_database_that_is_there(stage: Stage, origin: LiveDatabase) -> None:
    """Not even over an empty one."""
    stage.take(origin.name)
    with pytest.raises(TargetExists, match=f"there is a database '{origin.name}' already"):
        stage.restore(origin.name)


def test_one_table_comes_back_alone(stage: Stage, origin: LiveDatabase) -> None:
    """Its rows and its indexes are there, the other tables are empty, and what is left out is said."""
    stage.take(origin.name)
    name = f"{origin.name}_back"
    report = stage.restore(name, tables=("public.visit",))
    assert (report.differences, report.tables, report.rows) == ((), 1, 2000)
    assert one(origin, name, "SELECT count(*)::text AS word FROM public.patient") == "0"
    assert one(origin, name, "SELECT count(*)::text AS word FROM pg_indexes WHERE tablename = 'visit'") == "1"
    assert "foreign keys and the content of materialized views were left out" in " ".join(report.remarks)


@pytest.mark.pg(">= 18")
def test_a_mistyped_table_is_a_mistake_that_is_said(stage: Stage, origin: LiveDatabase) -> None:
    """An empty result would look like success."""
    stage.take(origin.name)
    with pytest.raises(NothingChosen, match=r"no table of the backup is called 'public\.visits'") as caught:
        stage.restore(f"{origin.name}_back", tables=("public.visits",))
    assert "Did you mean 'public.visit'?" in caught.value.hint
    assert names_like(stage, f"{origin.name}_") == []


@pytest.mark.pg(">= 18")
def test_names_that_read_alike_and_look_like_patterns_are_told_apart(stage: Stage, origin: LiveDatabase) -> None:
    """Joined by a dot two tables may have one name, and brackets may be part of it."""
    origin.run(
        'CREATE SCHEMA "a.b"; CREATE SCHEMA a',
        'CREATE TABLE "a.b".c AS SELECT generate_series(1, 10) AS id',
        'CREATE TABLE a."b.c" AS SELECT generate_series(1, 20) AS id',
        'CREATE TABLE a."odd[1]*?" AS SELECT 1 AS id',
    )
    stage.take(origin.name)
    name = f"{origin.name}_back"
    assert stage.restore(name).differences == ()
    one_table = stage.restore(f"{origin.name}_odd", tables=("a.odd[1]*?",))
    assert (one_table.tables, one_table.rows, one_table.differences) == (1, 1, ())
    origin.run('DELETE FROM "a.b".c', address=origin.server.superuser(name))
    assert stage.compare(name) == ["rows of a.b.c: 10 in the backup, 0 restored"]


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("different", "refusal"),
    [
        ({"name": "n" * 64}, BadName),
        ({"name": "pgtend_restoring_20261122t020000z_00000000"}, BadName),
        ({"name": "back", "schema_only": True, "tables": ("public.visit",)}, NothingChosen),
    ],
)
def test_what_can_be_done_nowhere_is_refused_before_anything_is(
    stage: Stage, origin: LiveDatabase, different: dict[str, object], refusal: type[PgtendError]
) -> None:
    """A name that PostgreSQL cuts short would be found out after hours; two wishes that exclude each other never."""
    stage.take(origin.name)
    stage.lines.clear()
    with pytest.raises(refusal):
        stage.restore(**different)  # type: ignore[arg-type]
    assert stage.lines == []


def test_a_schema_comes_back_without_rows(stage: Stage, origin: LiveDatabase) -> None:
    """Everything is there but what is in it."""
    stage.take(origin.name)
    name = f"{origin.name}_back"
    assert stage.restore(name, schema_only=True).differences == ()
    assert stage.schema_differences(origin.name, name) == []
    assert one(origin, name, "SELECT count(*)::text AS word FROM public.visit") == "0"


def test_missing_roles_are_listed_before_anything_begins(stage: Stage, origin: LiveDatabase) -> None:
    """Each with the statement that makes it, and the choices there are."""
    reader = origin.new_role("reader").user
    origin.run(f'GRANT SELECT ON public.patient TO "{reader}"')
    stage.take(origin.name)
    origin.run(f'REVOKE ALL ON public.patient FROM "{reader}"', f'DROP ROLE "{reader}"')
    name = f"{origin.name}_back"
    with pytest.raises(Misconfigured, match="lacks what the backup needs") as caught:
        stage.restore(name)
    assert f'CREATE ROLE "{reader}";' in caught.value.detail
    assert names_like(stage, f"{origin.name}_") == []
    assert stage.restore(name, owners=Owners.CREATE).differences == ()
    logins = (
        "SELECT count(*)::text AS word FROM pg_roles WHERE rolcanlogin AND starts_with(rolname, current_database())"
    )
    assert one(origin, name, logins) == "0"
    origin.run(f'REVOKE ALL ON public.patient FROM "{reader}"', address=origin.server.superuser(name))


def test_a_role_that_is_no_superuser_restores_without_owners(stage: Stage, origin: LiveDatabase) -> None:
    """Whoever may create a database can look at a backup."""
    plain = origin.new_role("plain", "LOGIN CREATEDB")
    stage.take(origin.name)
    name = f"{origin.name}_back"
    report = stage.restore(name, target=plain.to(dbname="postgres"), owners=Owners.IGNORE)
    assert report.differences == ()
    assert "owners and rights were left out, as asked for" in report.remarks


@pytest.mark.pg(">= 18")
def test_missing_extensions_are_listed_before_anything_begins(stage: Stage, origin: LiveDatabase) -> None:
    """A server without a package that the backup needs is told so, and not the backup called broken."""
    stage.take(origin.name)
    whole = stage.backup()
    lacking = Extension(name="starcharts", version="1.0", schema="public")
    manifest = whole.entry.manifest.model_copy(update={"extensions": (lacking,)})
    backup = replace(whole, entry=replace(whole.entry, manifest=manifest))
    name = f"{origin.name}_back"
    with pytest.raises(TargetUnsuited) as caught:
        restore_backup(backup, stage.order(name), quietly)
    assert [problem.where for problem in caught.value.problems] == ["extension starcharts"]
    assert names_like(stage, f"{origin.name}_") == []


@pytest.mark.pg(">= 18")
def test_owners_that_a_role_may_not_set_are_a_matter_of_rights(stage: Stage, origin: LiveDatabase) -> None:
    """Trying again would not help: what the role may not do is named, and what a person may do."""
    plain = origin.new_role("plain", "LOGIN CREATEDB")
    stage.take(origin.name)
    with pytest.raises(MissingRight) as caught:
        stage.restore(f"{origin.name}_back", target=plain.to(dbname="postgres"))
    assert "must be able to SET ROLE" in caught.value.detail
    assert "--no-owner does without owners and rights" in caught.value.hint
    assert names_like(stage, f"{origin.name}_") == []


@pytest.mark.pg(">= 18")
def test_what_only_a_superuser_may_make_is_a_difference(stage: Stage, origin: LiveDatabase) -> None:
    """Hours of rows are not thrown away for an event trigger at the end; and nobody calls it identical."""
    plain = origin.new_role("plain", "LOGIN CREATEDB")
    seen = "CREATE FUNCTION public.seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"
    origin.run(seen, "CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION public.seen()")
    stage.take(origin.name)
    report = stage.restore(f"{origin.name}_back", target=plain.to(dbname="postgres"), owners=Owners.IGNORE)
    assert report.rows == 5000
    first, second = map(str, report.differences)
    assert "triggers and views (permission denied to create event trigger" in first
    assert second == "objects of kind event trigger: 1 in the backup, 0 restored"


@pytest.mark.pg(">= 18")
def test_a_role_that_may_not_create_databases_is_told_so(stage: Stage, origin: LiveDatabase) -> None:
    """The right that is missing is named with the statement that gives it."""
    plain = origin.new_role("plain")
    stage.take(origin.name)
    with pytest.raises(Misconfigured) as caught:
        stage.restore(f"{origin.name}_back", target=plain.to(dbname="postgres"), owners=Owners.IGNORE)
    assert f'ALTER ROLE "{plain.user}" CREATEDB;' in caught.value.detail


@pytest.mark.pg(">= 18")
def test_without_the_right_key_nothing_is_begun(stage: Stage, origin: LiveDatabase) -> None:
    """No key at all and a wrong one are told apart, and neither makes a database."""
    stage.take(origin.name)
    with pytest.raises(KeyNeeded, match="is sealed, and no private key was named"):
        Backup(stage.vault, stage.catalogue().choose("latest"))
    wrong = stage.backup(keys=PrivateKeys((new_pair(),)))
    with pytest.raises(KeyUnavailable):
        restore_backup(wrong, stage.order(f"{origin.name}_back"), str)
    assert names_like(stage, f"{origin.name}_") == []
