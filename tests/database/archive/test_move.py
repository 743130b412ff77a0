"""Old rows leave, months are sealed, and everything is where it should be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bed.archiving import METRICS, Attic, filled, own
from bed.clusters import asked, statement
from bed.lines import Acting
from pgtend.archive.due import Sampling, condition_of, count_due
from pgtend.archive.errors import NotArchivable, NotYetApproved, SealBroken
from pgtend.archive.model import State
from pgtend.archive.plan import plan_table
from pgtend.postgres.errors import MissingRight

ARCHIVE = "public.health_metrics_archive"


def test_whole_months_leave_and_nothing_else(attic: Attic) -> None:
    """Of sixteen months the last twelve stay, with the month that is not wholly old."""
    before = attic.content(METRICS)
    report = attic.run()
    assert attic.ask(f"SELECT min(date) FROM {METRICS}") >= "2025-11-01"
    assert attic.ask(f"SELECT max(date) FROM {ARCHIVE}") < "2025-11-01"
    assert attic.content(METRICS, ARCHIVE) == before
    assert attic.content("public.health_metrics_all") == before
    assert report.rows == int(attic.ask(f"SELECT count(*) FROM {ARCHIVE}"))
    assert (report.is_finished, report.sealed) == (True, len(attic.units()))
    assert {unit.state for unit in attic.units()} == {"sealed"}
    assert sum(unit.rows for unit in attic.units()) == report.rows


@pytest.mark.pg(">= 18")
def test_a_second_run_finds_nothing_to_do(attic: Attic) -> None:
    """Running it again is harmless."""
    attic.run()
    again = attic.run()
    assert (again.rows, again.sealed) == (0, 0)
    assert "nothing is old enough" in "\n".join(attic.plan().lines())


@pytest.mark.pg(">= 18")
def test_the_first_run_of_a_rule_waits_for_a_person(attic: Attic) -> None:
    """And so does the first run after the rule was changed."""
    assert attic.run(approved_by="").waiting == [METRICS]
    assert int(attic.ask(f"SELECT count(*) FROM {METRICS}")) == 3_000
    with pytest.raises(NotYetApproved, match=r"public\.health_metrics"):
        attic.plan().raise_if_unapproved()
    attic.run()
    assert attic.table().is_approved
    assert attic.run(approved_by="").waiting == []
    attic.tables = {METRICS: {"by": "date", "keep": "100 days"}}
    assert not attic.table().is_approved


@pytest.mark.pg(">= 18")
def test_the_plan_counts_what_then_happens(attic: Attic) -> None:
    """Rows by month are counted and not estimated; bytes are estimates."""
    plan = attic.table()
    assert plan.cutoff.isoformat() == "2025-11-01"
    report = attic.run()
    assert plan.rows == report.rows
    assert {unit.month: unit.rows for unit in attic.units()} == plan.months
    assert 0 < int(plan.estimate.wal) < 10_000_000
    assert any("ROW EXCLUSIVE" in lock for lock in plan.locks())


@pytest.mark.pg(">= 18")
def test_of_a_large_table_some_pages_say_how_much_is_old(attic: Attic) -> None:
    """Within a quarter, with every month, and around all that is old; too little of it in the sample is counted."""
    attic.live.run(filled(60_000), f"ANALYZE {METRICS}")
    plan = attic.table()
    (due,), (leaf,) = plan.leaves, plan.reading.leaves
    with attic.session() as session:
        condition = condition_of(plan.reading, plan.cutoff, ())
        rough = count_due(session, plan.reading, leaf, condition, Sampling(from_blocks=400, one_in=4, enough=2_000))
        small = count_due(session, plan.reading, leaf, condition, Sampling(from_blocks=400, one_in=4, enough=30_000))
    assert (due.is_counted, rough.is_counted, small.is_counted) == (True, False, True)
    assert 0.75 < rough.rows / due.rows < 1.25
    assert {month.month for month in rough.months} == {month.month for month in due.months}
    assert min(month.first_block for month in rough.months) <= min(month.first_block for month in due.months)
    assert max(month.last_block for month in rough.months) >= max(month.last_block for month in due.months)
    assert small == due
    assert "about" in replace(plan, leaves=[rough]).headline()


@pytest.mark.pg(">= 18")
def test_what_a_person_has_yet_to_decide_about_is_counted_to_the_last_row(attic: Attic) -> None:
    """A single row of a strange year must be seen before somebody says yes; after that a sample will do."""
    attic.live.run(filled(20_000), f"ANALYZE {METRICS}")
    sampling = Sampling(from_blocks=100, one_in=4, enough=100)
    reading = attic.table().reading

    def counted_when(*, is_decided: bool) -> tuple[bool, bool]:
        with attic.session() as session:
            plan = plan_table(session, reading, attic.now, is_decided=is_decided, sampling=sampling)
        return plan.is_approved, plan.is_counted

    assert counted_when(is_decided=False) == (False, True)
    assert counted_when(is_decided=True) == (False, False)
    attic.run()
    attic.live.run(filled(20_000))
    assert counted_when(is_decided=False) == (True, False)


def test_an_archived_month_has_its_key_and_a_brin_and_nothing_else(attic: Attic) -> None:
    """Built when the month was full, which is cheaper than row by row."""
    attic.run()
    kinds = attic.ask(
        "SELECT string_agg(m.amname || ':' || i.indisprimary, ' ' ORDER BY m.amname) FROM pg_index AS i"
        " JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam"
        " WHERE i.indrelid = 'pgtend_archive.public__health_metrics_2025_09'::regclass"
    )
    assert kinds == "brin:false btree:true"


def test_a_late_row_opens_its_month_again(attic: Attic) -> None:
    """It is moved by the next run, and the month is sealed anew."""
    attic.run()
    attic.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )
    before = attic.content("public.health_metrics_all")
    held = attic.unit("2025-09").rows
    assert attic.run().rows == 1
    unit = attic.unit("2025-09")
    assert (unit.rows, unit.gen, unit.stands) == (held + 1, 2, State.SEALED)
    assert attic.content("public.health_metrics_all") == before


def test_a_row_that_somebody_changes_meanwhile_moves_as_it_is_then(attic: Attic) -> None:
    """A correction that was acknowledged is never lost, whichever page it went to."""
    attic.live.run(f"UPDATE {METRICS} SET diet_score = 99 WHERE id = 1")
    attic.run()
    assert attic.ask(f"SELECT diet_score FROM {ARCHIVE} WHERE id = 1") == "99"


def test_a_month_that_somebody_wrote_into_pages_a_person(attic: Attic) -> None:
    """The seal says how it differs, and mends nothing."""
    attic.run()
    attic.live.run(
        f"UPDATE {ARCHIVE} SET diet_score = 1 WHERE date >= '2025-09-01' AND date < '2025-09-02'",
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)",
    )
    with pytest.raises(SealBroken, match="2025-09 is not what was moved") as caught:
        attic.run()
    assert "rows with another content" in caught.value.detail
    assert attic.unit("2025-09").stands is State.MOVING


def test_a_month_whose_table_was_dropped_pages_a_person(attic: Attic) -> None:
    """A ledger that speaks of rows that are nowhere is broken evidence."""
    attic.run()
    attic.live.run(
        "DROP TABLE pgtend_archive.public__health_metrics_2025_09",
        "UPDATE pgtend_archive.unit SET state = 'moving' WHERE month = '2025-09-01'",
    )
    with pytest.raises(SealBroken, match="the table of month 2025-09 is gone"):
        attic.run()


@pytest.mark.pg(">= 18")
def test_the_budget_ends_a_run_and_the_next_one_goes_on(attic: Attic) -> None:
    """Nothing new is begun after it, and nothing is lost by it."""
    before = attic.content(METRICS)
    attic.rules = {"time_budget": "1 ms"}
    first = attic.run()
    assert (first.rows, first.is_finished) == (0, False)
    attic.rules = {}
    assert attic.run().is_finished
    assert attic.content(METRICS, ARCHIVE) == before


def test_a_replica_that_lags_pauses_the_move(attic: Attic) -> None:
    """The limit is in the fleet file; here everything is over it, as long as a slot holds back the whole log."""
    slot, moved_by_then = f"slot_{attic.live.name}", list[str]()
    drop = f"PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'"
    with attic.live.session() as session:

        def let_go() -> None:
            moved_by_then.append(attic.ask(f"SELECT count(*) FROM {ARCHIVE}"))
            session.run(statement(f"DO $$ BEGIN {drop}; END $$"))

        session.run(statement(f"DO $$ BEGIN PERFORM pg_create_physical_replication_slot('{slot}', true); END $$"))
        session.run(statement("CREATE TABLE public.filler AS SELECT generate_series(1, 1000)"))
        attic.lines = Acting("pausing: write-ahead log is held back", let_go)
        attic.rules = {"wal_backlog": "1 kB"}
        try:
            report = attic.run()
        finally:
            session.run(statement(f"DO $$ BEGIN {drop}; END $$"))
    assert moved_by_then == ["0"]
    assert report.is_finished
    assert report.rows > 0


def test_a_locked_row_is_left_for_later_and_nobody_waits(attic: Attic) -> None:
    """Everything else leaves; who holds the row for long keeps it until the next run."""
    with attic.live.session() as other:
        with other.transaction():
            other.rows(asked(f"SELECT id::text AS word FROM {METRICS} WHERE id = 1 FOR UPDATE"))
            report = attic.run()
            assert report.is_finished
            assert 0 < int(attic.ask(f"SELECT count(*) FROM {METRICS} WHERE date < '2025-11-01'")) < 1_500
        before = attic.content("public.health_metrics_all")
    assert attic.run().rows > 0
    assert attic.ask(f"SELECT count(*) FROM {METRICS} WHERE date < '2025-11-01'") == "0"
    assert attic.content("public.health_metrics_all") == before


def test_a_row_that_changes_while_its_batch_leaves_moves_as_it_became(attic: Attic) -> None:
    """Its batch, which copied it as it was, is undone, and taken again by a statement that waits for the change."""
    waits = "SELECT count(*) > 0 FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
    waits += " WHERE NOT l.granted AND a.query LIKE '%%DELETE FROM ONLY%%' AND a.datname = current_database()"
    before = int(attic.ask(f"SELECT count(*) FROM {METRICS} WHERE date < '2025-11-01'"))
    with attic.live.session() as other, ThreadPoolExecutor(1) as aside:
        with other.transaction():
            other.run(statement(f"UPDATE {METRICS} SET diet_score = 99 WHERE id = 1"))
            running = aside.submit(attic.run)
            while not running.done() and attic.ask(waits) == "false":
                pass
        report = running.result()
    assert report.rows == before
    assert attic.ask(f"SELECT diet_score FROM {ARCHIVE} WHERE id = 1") == "99"
    assert attic.ask("SELECT count(*) FROM public.health_metrics_all WHERE id = 1") == "1"
    assert any("gave way 1 time" in line for line in attic.lines)


def test_a_row_of_a_month_that_nobody_planned_for_leaves_with_the_others(attic: Attic) -> None:
    """It came after the plan: its month is made on the way, and its batch holds rows of two months."""

    def come_late() -> None:
        attic.on_line = bool
        attic.live.run(f"UPDATE {METRICS} SET date = '2020-02-29' WHERE id = 3")

    attic.on_line = come_late
    attic.run()
    assert attic.ask(f"SELECT count(*) FROM {METRICS} WHERE date < '2025-11-01'") == "0"
    assert (attic.unit("2020-02").rows, attic.unit("2020-02").stands) == (1, State.SEALED)


def test_a_table_that_was_written_anew_is_walked_from_its_beginning(attic: Attic) -> None:
    """VACUUM FULL gives every row another page."""
    before = attic.content(METRICS)
    attic.tables = {METRICS: {"by": "date", "keep": "430 days"}}
    attic.run()
    attic.live.run(f"VACUUM FULL {METRICS}")
    attic.tables = {METRICS: {"by": "date"}}
    attic.run()
    assert attic.ask(f"SELECT min(date) FROM {METRICS}") >= "2025-11-01"
    assert attic.content("public.health_metrics_all") == before


@pytest.mark.pg(">= 18")
def test_what_the_ledger_keeps_of_a_run(attic: Attic) -> None:
    """The plan, each step of each month, what is left of the plan, and what others may make smaller."""
    report = attic.run()
    lines = (attic.folder / "ledger" / "evidence" / f"{report.run_id}.jsonl").read_text().splitlines()
    steps = [line for line in lines if '"step": "sealed"' in line]
    assert len(steps) == report.sealed
    plans = [line for line in lines if '"planned_rows"' in line]
    assert [f'"planned_rows": {rows}' in line for line, rows in zip(plans, (report.rows, 0), strict=True)] == [
        True,
        True,
    ]
    assert sum(f'"removed_rows": {report.rows}' in line for line in lines) == 1


def test_a_role_without_rights_is_told_every_grant(attic: Attic) -> None:
    """It is no superuser: membership in the owner is what it needs, and that is what it is told."""
    tender = attic.live.new_role("tender")
    attic.address = tender
    hints = {problem.hint for problem in attic.table().problems}
    assert hints == {
        f"GRANT {attic.live.owner.user} TO {tender.user};",
        f"GRANT CREATE ON SCHEMA public TO {tender.user};",
        f"GRANT CREATE ON DATABASE {attic.live.name} TO {tender.user};",
    }
    attic.live.run(f'GRANT "{attic.live.owner.user}" TO "{tender.user}"')
    assert attic.refusals() == []
    assert attic.run().is_finished
    owners = "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE tablename LIKE '%%health_metrics_%%'"
    assert attic.ask(owners) == attic.live.owner.user


def test_rows_of_the_archive_are_reached_through_the_archive_alone(attic: Attic) -> None:
    """Nobody but the owner gets into our schema."""
    attic.live.run("GRANT SELECT ON public.health_metrics TO PUBLIC", "GRANT USAGE ON SCHEMA public TO PUBLIC")
    reader = attic.live.new_role("reader")
    attic.run()
    with attic.live.session(reader) as session:
        assert session.row(asked(f"SELECT count(*)::text AS word FROM {ARCHIVE}")).word == attic.ask(
            f"SELECT count(*) FROM {ARCHIVE}"
        )
        with pytest.raises(MissingRight):
            session.rows(asked("SELECT 'x' AS word FROM pgtend_archive.public__health_metrics_2025_09"))


def test_months_begin_where_the_zone_of_the_rule_begins_them(attic: Attic) -> None:
    """A moment belongs to another month in another part of the world."""
    attic.live.run(
        "CREATE TABLE public.log (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO public.log VALUES (1, '2025-07-31 23:30:00+00'), (2, '2025-08-01 03:30:00+00'),"
        " (3, '2025-08-01 04:30:00+00'), (4, '2026-11-01 00:00:00+00')",
    )
    attic.live.run(f'ALTER TABLE public.log OWNER TO "{attic.live.owner.user}"')
    attic.tables = {"public.log": {"by": "at", "zone": "America/New_York"}}
    attic.now += timedelta(hours=1)
    attic.run()
    assert [(unit.label, unit.rows) for unit in attic.units("public.log")] == [("2025-07", 2), ("2025-08", 1)]
    assert attic.ask("SELECT count(*) FROM public.log_archive") == "3"


@pytest.mark.pg(">= 18")
def test_nothing_is_moved_where_the_disk_has_no_room_for_it(attic: Attic) -> None:
    """The archive and the log are written before anything shrinks; the size of the disk is what the fleet file says."""
    attic.health = {"disk": "1 MB"}
    (what,) = attic.refusals()
    assert what.startswith("it needs about ")
    assert what.endswith("of disk for its archive and the log, and 0 bytes may be used")
    with pytest.raises(NotArchivable):
        attic.run()
    assert attic.units() == ()
    attic.health = {"disk": "1 TB"}
    assert attic.refusals() == []


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_rows_of_no_month_stay_and_keep_no_others(attic: Attic, kind: str) -> None:
    """At -infinity, before our era, at infinity and without a date; the first and the last day of all leave."""
    attic.live.run(
        f"CREATE TABLE public.visits (id int PRIMARY KEY, seen {kind})",
        "INSERT INTO public.visits VALUES (1, '-infinity'), (2, '0044-03-15 BC'), (3, 'infinity'), (4, NULL),"
        " (5, '0001-01-01'), (6, '2025-10-31')",
    )
    own(attic.live, "public.visits")
    attic.tables = {"public.visits": {"by": "seen", "zone": "Africa/Lagos"}}
    report = attic.run()
    assert (report.rows, report.sealed) == (2, 2)
    assert attic.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM public.visits") == "1,2,3,4"
    assert attic.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM public.visits_archive") == "5,6"
