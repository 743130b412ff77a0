"""What others lose rows by: each is refused, survived, or said beforehand."""

from __future__ import annotations

import threading
import time

import pytest

from bed.archiving import METRICS, Attic, own
from bed.clusters import asked, statement
from pgtend.archive.errors import NotArchivable, RowsAstray, SealBroken
from pgtend.archive.facts import LOCK_ROWS
from pgtend.postgres.session import Session

ARCHIVE = "public.health_metrics_archive"
ROW = f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score) VALUES"


def test_a_new_column_stops_the_archive_until_it_has_it_too(attic: Attic) -> None:
    """SELECT * would have failed, or worse; the refusal says the statement that cures it."""
    attic.run()
    attic.live.run(f"ALTER TABLE {METRICS} ADD COLUMN sleep_score real", f"{ROW} (1, '2025-09-09', 1, 2, 3)")
    with pytest.raises(NotArchivable, match="cannot be archived") as caught:
        attic.run()
    (problem,) = caught.value.problems
    assert problem.what == "column sleep_score is new, and its archive lacks it"
    attic.live.run(problem.hint)
    assert attic.run().rows == 1
    assert {tuple(unit.columns)[-2] for unit in attic.units()} == {"sleep_score real"}


def test_a_column_in_another_place_does_not_swap_values(attic: Attic) -> None:
    """A dropped column, made again at the end: by position, three scores would change their names."""
    attic.run()
    for table in (METRICS, ARCHIVE):
        attic.live.run(
            f"ALTER TABLE {table} ADD COLUMN other real",
            f"UPDATE {table} SET other = medication_score",
            f"ALTER TABLE {table} DROP COLUMN medication_score CASCADE",
        )
    attic.live.run(f"ALTER TABLE {METRICS} RENAME other TO medication_score")
    attic.live.run(f"ALTER TABLE {ARCHIVE} RENAME other TO medication_score")
    # No other row has this moment: those of the clinic are four hours apart.
    attic.live.run(f"{ROW} (1, '2025-09-09 01:00', 10, 20, 30)")
    attic.run()
    scores = "medication_score || ' ' || diet_score || ' ' || exercise_score"
    assert attic.ask(f"SELECT {scores} FROM {ARCHIVE} WHERE date = '2025-09-09 01:00'") == "10 20 30"


@pytest.mark.parametrize("on_delete", ["CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"])
@pytest.mark.pg(">= 18")
def test_rows_that_others_point_at_are_refused(attic: Attic, on_delete: str) -> None:
    """CASCADE would have deleted rows that nobody archived."""
    attic.live.run(
        f"CREATE TABLE public.advice (id int PRIMARY KEY, metric int REFERENCES {METRICS} ON DELETE {on_delete})"
    )
    assert [f"ON DELETE {on_delete}" in what for what in attic.refusals()] == [True]
    with pytest.raises(NotArchivable):
        attic.run()
    assert attic.ask(f"SELECT count(*) FROM {METRICS}") == "3000"


def test_a_row_stays_as_long_as_another_points_at_it(attic: Attic) -> None:
    """With `referenced: keep` children neither vanish nor forget, and the row leaves when they are gone."""
    attic.live.run(
        f"CREATE TABLE public.advice (id int PRIMARY KEY, metric int REFERENCES {METRICS} ON DELETE CASCADE)",
        "CREATE INDEX ON public.advice (metric)",
        "INSERT INTO public.advice VALUES (1, 5), (2, 50)",
    )
    attic.tables = {METRICS: {"by": "date", "referenced": "keep"}}
    (problem,) = attic.table().problems
    assert problem.what == "we may not read public.advice, which points at it"
    attic.live.run(problem.hint)
    attic.run()
    assert attic.ask("SELECT count(*) FROM public.advice") == "2"
    old = f"SELECT string_agg(id::text, ',' ORDER BY id) FROM {METRICS} WHERE date < '2025-11-01'"
    assert attic.ask(old) == "5,50"
    attic.live.run("DELETE FROM public.advice WHERE id = 1")
    assert attic.run().rows == 1
    assert attic.ask(old) == "50"


def test_a_trigger_that_keeps_a_row_keeps_it_in_one_place(attic: Attic) -> None:
    """BEFORE DELETE may return nothing: the row stays in the table, and is not in the archive as well."""
    attic.live.run(
        "CREATE FUNCTION public.keep_it() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF OLD.user_id = 7 THEN RETURN NULL; END IF; RETURN OLD; END $$",
        f"CREATE TRIGGER keep_it BEFORE DELETE ON {METRICS} FOR EACH ROW EXECUTE FUNCTION public.keep_it()",
    )
    before = attic.content(METRICS)
    assert any("keep_it may keep rows" in note for note in attic.table().reading.notes())
    assert attic.run().is_finished
    assert attic.ask(f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7") == "0"
    assert attic.content(METRICS, ARCHIVE) == before


def test_a_trigger_on_the_archive_is_refused(attic: Attic) -> None:
    """It once stored a hundred times the values."""
    attic.run()
    attic.live.run(
        "CREATE FUNCTION public.inflate() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.diet_score := 100; RETURN NEW; END $$",
        f"CREATE TRIGGER inflate BEFORE INSERT ON {ARCHIVE} FOR EACH ROW EXECUTE FUNCTION public.inflate()",
    )
    assert attic.refusals() == ["trigger inflate on the archive could change or refuse rows"]


def test_rows_that_an_archive_swallows_come_back(attic: Attic) -> None:
    """A trigger that appears behind the plan's back: the batch is undone as a whole."""
    attic.run()
    attic.live.run(
        "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER swallow BEFORE INSERT ON pgtend_archive.public__health_metrics_2025_09"
        " FOR EACH ROW EXECUTE FUNCTION public.swallow()",
        f"{ROW} (1, '2025-09-09', 1, 2, 3)",
    )
    with pytest.raises(RowsAstray, match="took 1 row, and the archive got 0"):
        attic.run()
    assert attic.ask(f"SELECT count(*) FROM {METRICS} WHERE date = '2025-09-09'") == "1"


@pytest.mark.pg(">= 18")
def test_rows_that_stay_although_they_were_copied_undo_their_batch(attic: Attic) -> None:
    """A trigger that keeps rows and appears behind the plan's back: they are in no two places."""
    attic.live.run("CREATE FUNCTION public.keep_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    before = attic.content(METRICS)
    keep = f"CREATE TRIGGER keep_it BEFORE DELETE ON {METRICS} FOR EACH ROW WHEN (old.id = 7)"

    def appear() -> None:
        attic.on_line = bool
        attic.live.run(f"{keep} EXECUTE FUNCTION public.keep_it()")

    attic.on_line = appear
    with pytest.raises(RowsAstray, match=r"took \d+ rows, and the archive got \d+"):
        attic.run()
    assert attic.content(METRICS, ARCHIVE) == before


@pytest.mark.pg(">= 18")
def test_a_batch_whose_cursor_stayed_is_undone(attic: Attic) -> None:
    """Rows that left while the walk did not go on would be counted twice, or by nobody."""
    attic.run()
    attic.live.run(
        "CREATE FUNCTION public.stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER stay BEFORE UPDATE ON pgtend_archive.pass FOR EACH ROW"
        " WHEN (new.moved > old.moved) EXECUTE FUNCTION public.stay()",
    )
    attic.live.run(f"{ROW} (1, '2025-09-09', 1, 2, 3)")
    before = attic.content(METRICS, ARCHIVE)
    with pytest.raises(RowsAstray) as caught:
        attic.run()
    assert caught.value.detail == "Somebody else moved the cursor meanwhile. The batch was undone."
    assert attic.content(METRICS, ARCHIVE) == before


@pytest.mark.pg(">= 18")
def test_values_that_an_archive_changes_are_caught_by_the_ledger(attic: Attic) -> None:
    """The ledger knows the rows as they left, so a trigger behind the plan's back does not go through the seal."""
    attic.run()
    attic.live.run(
        "CREATE FUNCTION public.inflate() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.diet_score := NEW.diet_score * 100; RETURN NEW; END $$",
        "CREATE TRIGGER inflate BEFORE INSERT ON pgtend_archive.public__health_metrics_2025_09"
        " FOR EACH ROW EXECUTE FUNCTION public.inflate()",
        f"{ROW} (1, '2025-09-09', 1, 2, 3)",
    )
    with pytest.raises(SealBroken, match="2025-09 is not what was moved"):
        attic.run()


@pytest.mark.pg(">= 18")
def test_audit_triggers_can_tell_that_a_row_is_archived(attic: Attic) -> None:
    """They fire, and find a setting that says why."""
    attic.live.run(
        "CREATE TABLE public.audit (id int, why text)",
        "CREATE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " INSERT INTO public.audit VALUES (OLD.id, current_setting('pgtend.archiving', true)); RETURN NULL; END $$",
        f"CREATE TRIGGER tell AFTER DELETE ON {METRICS} FOR EACH ROW EXECUTE FUNCTION public.tell()",
    )
    report = attic.run()
    assert attic.ask("SELECT count(*) || ' ' || min(why) FROM public.audit") == f"{report.rows} on"


def test_policies_that_hide_rows_from_us_are_refused(attic: Attic) -> None:
    """Half of the rows would have left, and nobody would have been told."""
    attic.live.run(
        f"ALTER TABLE {METRICS} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {METRICS} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY half ON {METRICS} USING (user_id < 45)",
    )
    (problem,) = attic.table().problems
    assert problem.what == "its policies hide rows from us"
    attic.live.run(problem.hint)
    assert attic.run().rows == sum(unit.rows for unit in attic.units()) > 500


def test_policies_and_rights_hold_for_the_archive_as_for_the_table(attic: Attic) -> None:
    """A patient sees the own rows, live and archived, through every way in; and nobody else's."""
    patient = attic.live.new_role("patient")
    attic.live.run(
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
        f"ALTER TABLE {METRICS} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_rows ON {METRICS} FOR SELECT USING (user_id = current_setting('app.user_id', true)::int)",
        f'GRANT SELECT ON {METRICS} TO "{patient.user}"',
    )
    attic.run()
    counted = f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7"
    with attic.live.session(patient) as session:
        session.run(statement("SET app.user_id = '7'"))
        for relation, rows in ((ARCHIVE, counted), ("public.health_metrics_all", counted.replace("_archive", "_all"))):
            seen = session.row(
                asked(f"SELECT count(*) || ' ' || min(user_id) || ' ' || max(user_id) AS word FROM {relation}")
            )
            assert seen.word == f"{attic.ask(rows)} 7 7"
    attic.live.run(f"DROP POLICY own_rows ON {METRICS}", f'REVOKE SELECT ON {METRICS} FROM "{patient.user}"')
    attic.run()
    assert attic.ask(f"SELECT has_table_privilege('{patient.user}', '{ARCHIVE}', 'SELECT')") == "false"
    assert attic.ask("SELECT count(*) FROM pg_policies WHERE tablename = 'health_metrics_archive'") == "0"


def test_generated_and_identity_columns_leave_as_the_values_they_had(attic: Attic) -> None:
    """The archive holds values; nothing is computed again."""
    attic.live.run(
        "CREATE TABLE public.visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at date NOT NULL, a int,"
        " twice int GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO public.visits (at, a) SELECT date '2025-10-01', x FROM generate_series(1, 50) AS x",
    )
    own(attic.live, "public.visits")
    attic.tables = {"public.visits": {"by": "at"}}
    before = attic.content("public.visits")
    assert attic.run().rows == 50
    assert attic.content("public.visits_archive") == before


def test_values_that_are_equal_and_not_the_same_stay_apart(attic: Attic) -> None:
    """Json has no hash, 0 equals -0, 1.0 equals 1.00, a day equals 24 hours; the ledger tells them from each other."""
    attic.live.run(
        "CREATE TYPE public.mood AS ENUM ('low', 'high')",
        "CREATE DOMAIN public.code AS text",
        "CREATE TABLE public.odd (id int PRIMARY KEY, at timestamptz NOT NULL, j json, b jsonb, f float8, n numeric,"
        " i interval, p point, r numrange, e public.mood, d public.code, a text[], y bytea, t tsvector)",
        "INSERT INTO public.odd VALUES"
        " (1, '2025-10-01', '{\"a\":  1}', '{}', '-0', 1.00, '24 hours', '(1,2)', '[1,2)', 'low', 'x', '{a,NULL}',"
        " '\\x00', 'a'),"
        " (2, '2025-10-01', NULL, NULL, 'NaN', 'NaN', '1 day', NULL, 'empty', 'high', '', '{}', '', '')",
    )
    own(attic.live, "public.odd")
    attic.tables = {"public.odd": {"by": "at"}}
    before = attic.content("public.odd")
    assert attic.run().rows == 2
    assert attic.content("public.odd_archive") == before
    for change in ("f = 0", "n = 1.0", "i = '1 day'", "j = '{\"a\": 1}'", "a = '{a}'"):
        attic.live.run("CREATE TABLE public.was AS SELECT * FROM public.odd_archive WHERE id = 1")
        attic.live.run(
            f"UPDATE public.odd_archive SET {change} WHERE id = 1", "UPDATE pgtend_archive.unit SET state = 'moving'"
        )
        with pytest.raises(Exception, match="is not what was moved"):
            attic.run()
        attic.live.run(
            "DELETE FROM public.odd_archive WHERE id = 1",
            "INSERT INTO public.odd_archive SELECT * FROM public.was",
            "DROP TABLE public.was",
        )
    assert attic.run().sealed == 1


def test_two_equal_rows_are_two_rows(attic: Attic) -> None:
    """A table without a key may hold them, and a sum does not cancel them as an xor would."""
    attic.live.run(
        "CREATE TABLE public.log (at date NOT NULL, line text)",
        "INSERT INTO public.log SELECT date '2025-10-01', 'same' FROM generate_series(1, 4)",
    )
    own(attic.live, "public.log")
    attic.tables = {"public.log": {"by": "at"}}
    assert attic.run().rows == 4
    attic.live.run(
        "DELETE FROM public.log_archive WHERE ctid = (SELECT min(ctid) FROM public.log_archive)",
        "UPDATE pgtend_archive.unit SET state = 'moving'",
    )
    with pytest.raises(Exception, match="is not what was moved"):
        attic.run()


@pytest.mark.pg(">= 18")
def test_a_stranger_with_the_name_of_the_archive_is_refused(attic: Attic) -> None:
    """Teams have tables of that name from recipes of their own."""
    attic.live.run(f"CREATE TABLE {ARCHIVE} (LIKE {METRICS})")
    assert attic.refusals() == [f"{ARCHIVE} exists and was not made by pgtend"]


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("rule", "change", "what"),
    [
        ({"by": "dat"}, "", "it has no column dat"),
        ({"by": "user_id"}, "", "user_id is a integer, and no moment or day"),
        ({"by": "date", "person": "userid"}, "", "it has no column userid"),
        ({"by": "date", "mode": "detach"}, "", "there are no partitions to detach"),
        ({"by": "date"}, f"ALTER TABLE {METRICS} SET UNLOGGED", "it is unlogged or temporary"),
        ({"by": "date"}, f"CREATE RULE r AS ON DELETE TO {METRICS} DO ALSO NOTIFY x", "it has rules: r"),
        ({"by": "date"}, f"CREATE TABLE public.child () INHERITS ({METRICS})", "other tables inherit from it"),
    ],
)
def test_each_refusal_has_its_reason(attic: Attic, rule: dict[str, object], change: str, what: str) -> None:
    """Before anything is moved, and all of them at once."""
    attic.tables = {METRICS: rule}
    if change:
        attic.live.run(change)
    assert attic.refusals() == [what]


@pytest.mark.pg(">= 18")
def test_who_loses_sight_of_archived_rows_is_said_beforehand(attic: Attic) -> None:
    """Views read the live table only, and subscribers see deletes."""
    attic.live.run(
        f"CREATE VIEW public.monthly AS SELECT date_trunc('month', date) FROM {METRICS}",
        f"CREATE PUBLICATION everything_{attic.live.name} FOR TABLE {METRICS}",
    )
    notes = "\n".join(attic.table().reading.notes())
    assert "public.monthly reads the live rows only; health_metrics_all shows all" in notes
    assert f"subscribers of everything_{attic.live.name} see archived rows deleted" in notes


@pytest.mark.pg(">= 18")
def test_a_table_that_is_not_there_is_said_with_all_other_problems(attic: Attic) -> None:
    """The other tables are archived all the same."""
    attic.tables = {"public.nothing": {"by": "at"}, METRICS: {"by": "date"}}
    with pytest.raises(NotArchivable, match="cannot be archived") as caught:
        attic.run()
    assert [problem.where for problem in caught.value.problems] == ["public.nothing"]
    assert len(attic.units()) > 0


def test_a_row_that_came_after_the_others_were_locked_does_not_leave_with_them(
    attic: Attic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody points at it while the others are deleted: what points there was deleted too, and archived nowhere."""
    attic.live.run(
        f"CREATE TABLE public.advice (metric int REFERENCES {METRICS} ON DELETE CASCADE)",
        "CREATE INDEX ON public.advice (metric)",
        f'ALTER TABLE public.advice OWNER TO "{attic.live.owner.user}"',
        f"DELETE FROM {METRICS} WHERE id < 10",
        f"VACUUM {METRICS}",
        "CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END'",
        f"CREATE TRIGGER linger BEFORE DELETE ON {METRICS} FOR EACH STATEMENT EXECUTE FUNCTION public.linger()",
    )
    attic.tables = {METRICS: {"by": "date", "referenced": "keep"}}
    asked, late = Session.row, list[threading.Thread]()

    def point() -> None:
        time.sleep(0.2)
        attic.live.run("INSERT INTO public.advice VALUES (7)")

    def row(session: Session, query: object, *given: object, **parts: object) -> object:
        found = asked(session, query, *given, **parts)  # type: ignore[arg-type]
        if query is LOCK_ROWS and not late:
            attic.live.run(f"INSERT INTO {METRICS} VALUES (7, 7, '2025-09-10', 1, 2, 3)")
            late.append(threading.Thread(target=point))
            late[0].start()
        return found

    monkeypatch.setattr(Session, "row", row)
    attic.run()
    late[0].join()
    assert attic.ask("SELECT count(*) FROM public.advice") == "1"
    assert attic.ask(f"SELECT count(*) FROM {METRICS} WHERE id = 7") == "1"
