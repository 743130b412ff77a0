"""Every limit about data, age, archive and slots is crossed for real, on the oldest and the newest server."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import ask, tell
from bed.watching import Ward, finding_of, limits
from pgtend.fleet.health import Watched
from pgtend.health.model import Finding, Level, Reason
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.session import Session

DAY = 86_400

# Subtransactions take numbers too, and thirty thousand of them take a moment.
BURN = """
DO $$ BEGIN
    FOR n IN 1..30000 LOOP
        BEGIN INSERT INTO public.burnt VALUES (n); EXCEPTION WHEN division_by_zero THEN NULL; END;
    END LOOP;
END $$
"""
AT_ONCE = {"lasting": "1 ms"}
# Seven rows of a thousand bytes fill a block: half a megabyte a day.
DAILY_ROWS = 448
DAILY_GROWTH = DAILY_ROWS // 7 * 8192
GROW = f"INSERT INTO public.visits SELECT repeat('x', 1000) FROM generate_series(1, {DAILY_ROWS})"  # noqa: S608 - ours
USED = (
    "SELECT sum(pg_database_size(oid))::bigint + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir())::bigint"
    " FROM pg_database"
)


def await_true(session: Session, question: str) -> None:
    """Wait for something the server does by itself."""
    while ask(session, question) != [True]:
        tell(session, "SELECT pg_sleep(0.02)")


@contextmanager
def setting(live: LiveDatabase, **values: str) -> Generator[None]:
    """Change settings of the server for a while."""
    with live.session() as session:
        for name, value in values.items():
            tell(session, f"ALTER SYSTEM SET {name} = '{value}'")
        try:
            _reload(session, values)
            yield
        finally:
            for name in values:
                tell(session, f"ALTER SYSTEM RESET {name}")
            _reload(session, {})


def _reload(session: Session, values: dict[str, str]) -> None:
    tell(session, "SELECT pg_reload_conf()")
    for name, value in values.items():
        await_true(
            session,
            f"SELECT setting = '{value}' OR pending_restart FROM pg_settings WHERE name = '{name}'",  # noqa: S608 - ours
        )


def partition(table: str, first: int, last: int) -> str:
    """Write the statement that makes a partition for some days, counted from today."""
    days = f"format('FROM (%%L) TO (%%L)', current_date + ({first}), current_date + ({last}))"
    return f"""DO $$ BEGIN
        EXECUTE 'CREATE TABLE public.{table}_p PARTITION OF public.{table} FOR VALUES ' || {days};
    END $$"""


def test_a_sequence_near_the_end_of_its_column(ward: Ward) -> None:
    """A bigint sequence ends where its smallint column does; without the right to read it, nobody knows."""
    ward.rules = limits()
    ward.live.run(
        "CREATE TABLE public.visits (id smallint PRIMARY KEY)",
        "CREATE SEQUENCE public.visit_numbers OWNED BY public.visits.id",
        "SELECT setval('public.visit_numbers', 30000)",
    )
    unseen = ward.finding(Watched.SEQUENCE_USED)
    assert (unseen.level, "1 of 1 sequences may not be read" in unseen.explanation) == (Level.UNKNOWN, True)
    ward.live.run(f'GRANT USAGE ON SEQUENCE public.visit_numbers TO "{ward.monitor.user}"')
    found = ward.finding(Watched.SEQUENCE_USED)
    assert (found.level, found.about, found.said_value) == (Level.CRITICAL, "public.visit_numbers", "92 %")
    ward.live.run("ALTER SEQUENCE public.visit_numbers CYCLE")
    assert ward.finding(Watched.SEQUENCE_USED).level is Level.OK


@pytest.mark.parametrize(
    ("options", "last", "said"),
    [
        ("MINVALUE 9000000 MAXVALUE 9999999", 9_000_100, "0.0 %"),
        ("MINVALUE 9000000 MAXVALUE 9999999", 9_800_000, "80 %"),
        ("MINVALUE -100 MAXVALUE 0 START -100", -80, "20 %"),
        ("MINVALUE 0 MAXVALUE 100 INCREMENT -1", 20, "80 %"),
    ],
)
def test_a_sequence_with_a_range_of_its_own(ward: Ward, options: str, last: int, said: str) -> None:
    """What is used up is counted from where it begins, and one that ends at zero hides no other one."""
    ward.rules = limits()
    ward.live.run(f"CREATE SEQUENCE public.cards {options}", f"SELECT setval('public.cards', {last})")
    ward.live.run(f'GRANT USAGE ON SEQUENCE public.cards TO "{ward.monitor.user}"')
    assert ward.finding(Watched.SEQUENCE_USED).said_value == said


def test_a_table_that_runs_out_of_partitions(ward: Ward) -> None:
    """The first to end is named; history, a default partition and one without an end are nobody's trouble."""
    ward.rules = limits()
    assert ward.finding(Watched.PARTITIONS_AHEAD).level is Level.NOT_WATCHED
    ward.live.run(
        "CREATE TABLE public.visits (at date) PARTITION BY RANGE (at)",
        "CREATE TABLE public.endless (at timestamptz, id int) PARTITION BY RANGE (at, id)",
        "CREATE TABLE public.endless_1 PARTITION OF public.endless"
        " FOR VALUES FROM (MINVALUE, MINVALUE) TO (MAXVALUE, MAXVALUE)",
        "CREATE TABLE public.past (at timestamp) PARTITION BY RANGE (at)",
        "CREATE TABLE public.past_1 PARTITION OF public.past FOR VALUES FROM ('2019-01-01') TO ('2019-02-01')",
        "CREATE TABLE public.caught (at timestamp) PARTITION BY RANGE (at)",
        partition("caught", 0, 1),
        "CREATE TABLE public.caught_rest PARTITION OF public.caught DEFAULT",
        partition("visits", 0, 30),
    )
    found = ward.finding(Watched.PARTITIONS_AHEAD)
    assert (found.level, found.about) == (Level.OK, "public.visits")
    assert 29 * DAY <= (found.value or 0) <= 30 * DAY
    ward.live.run("CREATE TABLE public.calls (at timestamptz) PARTITION BY RANGE (at)", partition("calls", -9, 2))
    assert (ward.finding(Watched.PARTITIONS_AHEAD).level, ward.finding(Watched.PARTITIONS_AHEAD).about) == (
        Level.WARNING,
        "public.calls",
    )
    ward.live.run("DROP TABLE public.calls_p", partition("calls", -9, -1))
    assert ward.finding(Watched.PARTITIONS_AHEAD).level is Level.CRITICAL


def test_an_index_that_a_failed_build_left_behind(ward: Ward) -> None:
    """It is named, and gone when it is dropped."""
    ward.rules = limits()
    ward.live.run("CREATE TABLE public.visits (id int)", "INSERT INTO public.visits VALUES (1), (1)")
    with pytest.raises(PgtendError):
        ward.live.run("CREATE UNIQUE INDEX CONCURRENTLY visits_once ON public.visits (id)")
    found = ward.finding(Watched.INVALID_INDEXES)
    assert (found.level, found.about) == (Level.WARNING, "public.visits_once")
    ward.live.run("DROP INDEX public.visits_once")
    assert ward.finding(Watched.INVALID_INDEXES).level is Level.OK


def test_an_index_that_is_being_exchanged_or_removed_is_no_trouble(ward: Ward) -> None:
    """A rebuild that waits for a reader before it removes the old index has left nothing behind."""
    ward.rules = limits()
    ward.live.run("CREATE TABLE public.visits (id int)", "CREATE INDEX visits_id ON public.visits (id)")
    invalid = "SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)"
    for text in ("REINDEX INDEX CONCURRENTLY public.visits_id", "DROP INDEX CONCURRENTLY public.visits_id"):
        with ward.live.session() as reader, ward.live.session() as looker:
            tell(reader, "BEGIN", "SELECT 1 FROM public.visits")
            thread = threading.Thread(target=ward.live.run, args=(text,))
            thread.start()
            await_true(looker, invalid)
            assert ward.finding(Watched.INVALID_INDEXES).level is Level.OK
            tell(reader, "COMMIT")
            thread.join()


def test_dead_rows_and_stale_statistics(ward: Ward) -> None:
    """The worst table is named, measured by its own autovacuum limits; it has to last before anybody is told."""
    ward.rules = limits(dead_rows=AT_ONCE, stale_statistics=AT_ONCE)
    ward.live.run(
        "CREATE TABLE public.visits (id int)"
        " WITH (autovacuum_enabled = off, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0)",
        "INSERT INTO public.visits SELECT generate_series(1, 1000)",
        "DELETE FROM public.visits WHERE id <= 400",
    )
    first = ward.look()
    assert finding_of(first, Watched.DEAD_ROWS).reason is Reason.BRIEF
    exam = ward.look()
    dead, stale = finding_of(exam, Watched.DEAD_ROWS), finding_of(exam, Watched.STALE_STATISTICS)
    assert (dead.level, dead.value, dead.about) == (Level.WARNING, 4.0, "public.visits: 400 dead rows")
    assert (stale.level, stale.about) == (Level.CRITICAL, "public.visits: 1,400 rows changed")
    ward.live.run("VACUUM ANALYZE public.visits")
    assert ward.finding(Watched.DEAD_ROWS).level is Level.OK
    assert ward.look().look.tables[0].name == "public.visits"


def test_transaction_numbers_used_up_and_who_holds_them_back(ward: Ward) -> None:
    """Thirty thousand numbers burnt while a snapshot is held: age, lag and the holder's name."""
    ward.rules = limits(
        transaction_age={"warning": 0.001}, freeze_lag={"warning": 0.01}, held_back={"warning": 20_000.0}
    )
    with ward.live.session(application="report") as old:
        tell(old, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1")
        ward.live.run("CREATE TABLE public.burnt (n int)", BURN)
        exam = ward.look()
        tell(old, "COMMIT")
    for watched in (Watched.TRANSACTION_AGE, Watched.FREEZE_LAG, Watched.HELD_BACK):
        assert finding_of(exam, watched).level is Level.WARNING, watched
    assert finding_of(exam, Watched.HELD_BACK).about.startswith("session report, process ")
    ward.live.run("VACUUM (FREEZE)")
    assert ward.finding(Watched.HELD_BACK).level is Level.OK


def test_a_prepared_transaction_nobody_came_back_for(ward: Ward) -> None:
    """It counts from the moment it was prepared, and its owner is named."""
    ward.rules = limits(prepared_transaction={"warning": 0.001})
    gid = ward.live.name
    ward.live.run("BEGIN; CREATE TABLE public.half (id int); " + f"PREPARE TRANSACTION '{gid}'")
    found = ward.finding(Watched.PREPARED_TRANSACTION)
    ward.live.run(f"ROLLBACK PREPARED '{gid}'")
    assert (found.level, found.about) == (Level.WARNING, "1, the oldest owned by postgres")
    assert ward.finding(Watched.PREPARED_TRANSACTION).level is Level.OK


def test_a_slot_nobody_reads_and_wal_it_loses(ward: Ward) -> None:
    """How long it has had no reader, how much it keeps, and that the server gave up on it."""
    ward.rules = limits(slot_inactive={"warning": 200.0}, slot_retained={"warning": 1.0})
    name = ward.live.name
    with ward.live.session() as session:
        tell(session, f"SELECT pg_create_physical_replication_slot('{name}', true)")
        ward.look()
        exam = ward.look()
        for watched in (Watched.SLOT_INACTIVE, Watched.SLOT_RETAINED):
            assert (finding_of(exam, watched).level, finding_of(exam, watched).about) == (Level.WARNING, name)
        assert finding_of(exam, Watched.SLOT_LOST).level is Level.OK
        for _ in range(4):
            tell(session, "SELECT pg_logical_emit_message(false, 'x', 'y')", "SELECT pg_switch_wal()")
        tell(session, "CHECKPOINT")
        lost = ward.finding(Watched.SLOT_LOST)
        tell(session, f"SELECT pg_drop_replication_slot('{name}')")
    assert (lost.level, lost.about) == (Level.CRITICAL, name)
    assert ward.finding(Watched.SLOT_LOST).level is Level.NOT_WATCHED


def test_an_archive_that_takes_no_wal(ward: Ward) -> None:
    """Failing since the first look that saw it, and the files that wait; over when the archive takes them all."""
    ward.rules = limits(archive_failing={"warning": 0.5, "critical": 1e9}, archive_backlog={"warning": 1})
    with ward.live.session() as session:
        tell(session, "SELECT pg_logical_emit_message(false, 'x', 'y')", "SELECT pg_switch_wal()")
        await_true(session, "SELECT failed_count > 0 FROM pg_stat_archiver")
    exam = ward.look()
    assert finding_of(exam, Watched.ARCHIVE_BACKLOG).level is Level.WARNING
    assert finding_of(exam, Watched.ARCHIVE_FAILING).level is Level.WARNING
    with setting(ward.live, archive_command="true"), ward.live.session() as session:
        await_true(session, "SELECT last_archived_time > last_failed_time FROM pg_stat_archiver")
        await_true(session, "SELECT count(*) = 0 FROM pg_ls_archive_statusdir() WHERE name LIKE '%%.ready'")
        exam = ward.look()
    assert finding_of(exam, Watched.ARCHIVE_BACKLOG).level is Level.OK
    assert finding_of(exam, Watched.ARCHIVE_FAILING).level is Level.OK


def test_settings_that_wait_and_settings_that_are_unsafe(ward: Ward) -> None:
    """A restart that is due, and autovacuum switched off; a server that syncs nothing is never called fine."""
    ward.rules = limits(restart_pending=AT_ONCE)
    assert "fsync = off" in ward.finding(Watched.UNSAFE_SETTINGS).about
    with setting(ward.live, max_connections="24", fsync="on", full_page_writes="on"):
        ward.look()
        exam = ward.look()
        pending = finding_of(exam, Watched.RESTART_PENDING)
        assert (pending.level, pending.about) == (Level.WARNING, "max_connections")
        assert finding_of(exam, Watched.UNSAFE_SETTINGS).level is Level.OK
        with setting(ward.live, autovacuum="off"):
            unsafe = ward.finding(Watched.UNSAFE_SETTINGS)
            assert (unsafe.level, unsafe.about) == (Level.CRITICAL, "autovacuum = off")


def test_a_disk_that_is_nearly_full(ward: Ward) -> None:
    """By the size that the fleet file tells; on this machine the machine itself is asked."""
    ward.rules = {**limits(), "disk": "1 MB"}
    assert ward.finding(Watched.DISK_USED).level is Level.CRITICAL
    ward.rules = limits()
    asked = ward.finding(Watched.DISK_USED)
    assert asked.value is not None
    assert 0 < asked.value < 100


def test_a_disk_that_grows_full_in_some_weeks_and_one_that_was_enlarged(ward: Ward) -> None:
    """Three weeks of growth: full in weeks is a warning, in days critical; a larger disk has no history."""
    # Without WAL, which grows by whole files and would hide the growth of the table.
    ward.live.run("CREATE UNLOGGED TABLE public.visits (note text) WITH (autovacuum_enabled = off)")
    with ward.live.session() as session:
        (used,) = ask(session, USED)
    ward.rules = {**limits(), "disk": f"{int(str(used)) + 26 * DAILY_GROWTH} bytes"}
    found: list[Finding] = []
    for _ in range(22):
        ward.live.run(GROW)
        found.append(ward.finding(Watched.DISK_DAYS))
        ward.now += timedelta(days=1)
    assert (found[2].level, found[2].reason) == (Level.NOT_WATCHED, Reason.ABSENT)
    assert {one.level for one in found} == {Level.NOT_WATCHED, Level.WARNING, Level.CRITICAL}
    assert found[-1].level is Level.CRITICAL
    ward.rules = {**limits(), "disk": "1 TB"}
    assert ward.finding(Watched.DISK_DAYS).level is Level.NOT_WATCHED


def test_a_cache_that_is_too_small_and_sorts_that_spill(ward: Ward) -> None:
    """Ten megabytes read through one: few hits; a sort without memory writes files; checkpoints by hand are forced."""
    ward.rules = limits(
        cache_hit=AT_ONCE, index_hit={**AT_ONCE, "warning": 99.9}, checkpoints_forced=AT_ONCE,
        temporary_files={"warning": 1_000_000.0},
    )  # fmt: skip
    ward.live.run(
        "CREATE TABLE public.wide (id int PRIMARY KEY, note text) WITH (fillfactor = 20)",
        "INSERT INTO public.wide SELECT n, repeat('x', 100) FROM generate_series(1, 30000) AS n",
    )
    ward.look()
    for _ in range(2):
        with ward.live.session() as session:
            tell(session, "SET work_mem = '64kB'", "SET max_parallel_workers_per_gather = 0")
            for _ in range(4):
                tell(session, "SELECT sum(length(note)) FROM public.wide")
            tell(session, "SELECT note, id FROM public.wide ORDER BY note, id DESC OFFSET 29999")
            for plan in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                tell(session, f"SET enable_{plan} = off")
            tell(
                session,
                "SELECT count(*) FROM generate_series(1, 9000) AS n JOIN public.wide ON id = (n * 7919) %% 30000",
            )
            tell(session, *["CHECKPOINT"] * 11)
        exam = ward.look()
    for watched, level in {
        Watched.CACHE_HIT: Level.CRITICAL,
        Watched.TEMPORARY_FILES: Level.WARNING,
        Watched.INDEX_HIT: Level.WARNING,
        Watched.CHECKPOINTS_FORCED: Level.WARNING,
    }.items():
        assert finding_of(exam, watched).level is level, (watched, finding_of(exam, watched))


def test_a_block_that_is_not_what_was_written(ward: Ward) -> None:
    """One damaged block on the disk, read once: critical, and it stays so."""
    with ward.live.session() as session:
        tell(session, "CREATE TABLE public.torn AS SELECT n FROM generate_series(1, 1000) AS n", "CHECKPOINT")
        (path,) = ask(session, "SELECT pg_relation_filepath('public.torn')")
    server = ward.live.server
    server.stop()
    with (server.data / str(path)).open("r+b") as file:
        file.seek(8000)
        file.write(b"\0damage\0")
    server.start()
    with ward.live.session() as session, pytest.raises(PgtendError):
        tell(session, "SELECT count(*) FROM public.torn")
    found = ward.finding(Watched.CHECKSUM_FAILURES)
    assert (found.level, found.value) == (Level.CRITICAL, 1)
