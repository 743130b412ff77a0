"""How the fleet is judged: by what was promised, worst first, and doubt is never green."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pgtend.fleet.backup import BackupRules
from pgtend.fleet.drill import DrillRules
from pgtend.overview.alerting import alerts_cell
from pgtend.overview.backups import NewestBackup, backup_cell
from pgtend.overview.care import Care, archive_cell, indexes_cell
from pgtend.overview.drills import NewestDrill, proof_cell
from pgtend.overview.health import Peak, PoolRow, WorstHealth, health_cell, pool_advice
from pgtend.overview.history import AlertRow
from pgtend.overview.model import Cell, Light, row_of, say_age, say_fleet, worst, worst_first
from pgtend.overview.pipelines import PipelineRow, with_alerts, work_cell
from pgtend.overview.statements import Days, JudgedNight, statements_cell

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHTLY = BackupRules.model_validate({"schedule": "0 2 * * *", "deadline": "6 h"})
BACKED_UP = NewestBackup(
    database="kgc",
    listed_at=NOW,
    doubts=None,
    good_at=datetime(2026, 11, 21, 2, 1, tzinfo=UTC),
    proven_at=datetime(2026, 11, 16, 2, 1, tzinfo=UTC),
    good=14,
    unfit=0,
    newest_bytes=1000,
)
RUN = PipelineRow(
    database="kgc",
    pipeline="backup",
    run_id="20261121T020000Z-00000000",
    run_url="http://airflow.test/dags/kgc.backup/runs/1",
    outcome="succeeded",
    started_at=NOW - 7 * HOUR,
    ended_at=NOW - 6 * HOUR,
    error_code="",
    error_message="",
    hint="",
    good_at=NOW - 6 * HOUR,
)
ALERT = AlertRow(
    alert_id=7,
    key="pgtend/production/kgc/backup",
    database="kgc",
    pipeline="backup",
    severity="page",
    code="vault.full",
    message="the vault is full",
    hint="",
    run_url="",
    opened_at=NOW - 3 * HOUR,
    last_failed_at=NOW - HOUR,
    times_failed=2,
    last_sent_at=NOW - 3 * HOUR,
    times_sent=1,
    recovered_at=None,
    acknowledged_at=None,
    acknowledged_by="",
    acknowledged_until=None,
    note="",
)


def cell(light: Light) -> Cell:
    """Make a cell whose colour is all that counts."""
    return Cell(light=light, says="", why="")


def test_of_nothing_at_all_nothing_is_known() -> None:
    """An empty row must not look like a good one."""
    assert worst([]) is Light.UNKNOWN
    assert worst([Light.GOOD, Light.WATCH]) is Light.WATCH
    assert worst([Light.WATCH, Light.UNKNOWN]) is Light.UNKNOWN
    assert worst([Light.UNKNOWN, Light.BAD]) is Light.BAD


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=0.3), "0 s"),
        (timedelta(seconds=39.6), "39 s"),
        (timedelta(seconds=119), "1 min"),
        (timedelta(days=2, hours=3, minutes=9), "2 d 3 h"),
    ],
)
def test_an_age_has_no_part_that_nobody_needs(age: timedelta, said: str) -> None:
    """Nobody asks for tenths of a second of something that happened a moment ago."""
    assert say_age(age) == said


def test_what_needs_somebody_stands_on_top() -> None:
    """Red above unknown above yellow above green; among equals the one with more trouble, then the alphabet."""
    rows = [
        row_of("b", "", {"x": cell(Light.GOOD), "y": cell(Light.GOOD)}),
        row_of("a", "", {"x": cell(Light.GOOD), "y": cell(Light.GOOD)}),
        row_of("w", "", {"x": cell(Light.WATCH), "y": cell(Light.GOOD)}),
        row_of("u", "", {"x": cell(Light.UNKNOWN), "y": cell(Light.GOOD)}),
        row_of("one", "", {"x": cell(Light.BAD), "y": cell(Light.GOOD)}),
        row_of("two", "", {"x": cell(Light.BAD), "y": cell(Light.BAD)}),
    ]
    assert [row.database for row in worst_first(rows)] == ["two", "one", "u", "w", "a", "b"]


@pytest.mark.parametrize(
    ("lights", "said"),
    [
        ("", "There is no database to show."),
        ("g", "Safe: every promise was checked."),
        ("gg", "Safe: every promise is kept, and was checked."),
        ("gw", "Safe; b needs a look this week."),
        ("uw", "Nothing is known to be broken, but of a something is not known."),
        ("bbg", "a and b need somebody now."),
        ("bbbbb", "a, b, c and 2 more need somebody now."),
    ],
)
def test_one_sentence_answers_whether_we_are_safe(lights: str, said: str) -> None:
    """People read this one, and nothing else when it is green."""
    of = {"g": Light.GOOD, "w": Light.WATCH, "u": Light.UNKNOWN, "b": Light.BAD}
    rows = [row_of(name, "", {"x": cell(of[light])}) for name, light in zip("abcde", lights, strict=False)]
    assert say_fleet(rows) == said


def test_a_backup_in_time_is_green_and_says_how_old_it_is() -> None:
    """The age is what would be lost now."""
    judged = backup_cell("kgc", BACKED_UP, NIGHTLY, NOW)
    assert (judged.light, judged.says, judged.link) == (Light.GOOD, "6 h 59 min old", "page:kgc/backups")
    assert judged.why == "14 good ones, the newest of 2026-11-21 02:01 UTC, in time by its schedule."


def test_a_backup_that_is_due_and_missing_is_red() -> None:
    """From the end of its deadline on; before that last night's is not late yet."""
    missed = replace(BACKED_UP, good_at=datetime(2026, 11, 20, 2, 1, tzinfo=UTC))
    assert backup_cell("kgc", missed, NIGHTLY, NOW - HOUR - timedelta(minutes=1)).light is Light.GOOD
    judged = backup_cell("kgc", missed, NIGHTLY, NOW)
    assert (judged.light, judged.says) == (Light.BAD, "1 d 6 h old")
    assert judged.why == "The backup of 2026-11-21 02:00 UTC is missing, 7 h after it was due."


@pytest.mark.parametrize(
    ("known", "light", "says"),
    [
        (None, Light.UNKNOWN, "none"),
        (replace(BACKED_UP, good_at=None, good=0), Light.BAD, "none"),
        (replace(BACKED_UP, unfit=1), Light.WATCH, "6 h 59 min old"),
        (replace(BACKED_UP, doubts="a stray object"), Light.WATCH, "6 h 59 min old"),
    ],
)
def test_doubt_about_backups_is_never_green(known: NewestBackup | None, light: Light, says: str) -> None:
    """No vault looked through, no good backup, a damaged one beside a good one, a doubt while listing."""
    judged = backup_cell("kgc", known, NIGHTLY, NOW)
    assert (judged.light, judged.says) == (light, says)


def test_backups_that_are_switched_off_are_yellow() -> None:
    """Somebody decided so, and it stays visible."""
    assert backup_cell("kgc", BACKED_UP, NIGHTLY.model_copy(update={"enabled": False}), NOW).light is Light.WATCH


DRILLED = NewestDrill(
    database="kgc",
    verdict="PASS",
    failure_class="",
    ended_at=NOW,
    rto_target=timedelta(hours=4),
    rto_measured=timedelta(minutes=14),
    rto_predicted=timedelta(minutes=15),
    run_id="20261120T020000Z-00000000",
    proven_at=NOW - timedelta(days=2),
    rules=["newest=1"],
)


@pytest.mark.parametrize(
    ("days", "light"), [(5, Light.GOOD), (8, Light.GOOD), (9, Light.WATCH), (28, Light.WATCH), (29, Light.BAD)]
)
def test_a_proof_grows_old(days: int, light: Light) -> None:
    """Green while the next drill is not due, red when four in a row are missing."""
    known = replace(DRILLED, proven_at=NOW - timedelta(days=days) + timedelta(minutes=5))
    assert proof_cell("kgc", known, DrillRules(), NOW).light is light


def test_a_proof_says_how_long_a_recovery_takes() -> None:
    """Beside what the fleet file allows."""
    judged = proof_cell("kgc", DRILLED, DrillRules(), NOW)
    assert (judged.light, judged.says) == (Light.GOOD, "2 d ago")
    assert judged.why == "A backup was restored in 14 min of the 4 h it may take, and everything was identical."


def test_what_was_never_proven_is_not_known_to_be_good() -> None:
    """A failed drill is red whatever was proven before, a partial one yellow."""
    assert proof_cell("kgc", None, DrillRules(), NOW).light is Light.UNKNOWN
    assert proof_cell("kgc", replace(DRILLED, proven_at=None, verdict="FAIL"), DrillRules(), NOW).light is Light.BAD
    failed = proof_cell("kgc", replace(DRILLED, verdict="FAIL", failure_class="BACKUP_CORRUPT"), DrillRules(), NOW)
    assert (failed.light, failed.says) == (Light.BAD, "failed, 2 d ago")
    assert proof_cell("kgc", replace(DRILLED, verdict="PASS_PARTIAL"), DrillRules(), NOW).light is Light.WATCH


CARE = Care(
    database="kgc",
    looked_at=NOW,
    waiting=0,
    bloat=0,
    judged_at=NOW - HOUR,
    months=0,
    planned_rows=0,
    unapproved=0,
    refusals="",
    planned_at=NOW - HOUR,
)


def test_bloat_that_waits_is_yellow_from_a_gigabyte_on() -> None:
    """And indexes that no run has judged for two weeks are not known to be lean."""
    assert indexes_cell("kgc", CARE, NOW).says == "lean"
    some = indexes_cell("kgc", replace(CARE, waiting=1, bloat=1024**2), NOW)
    assert (some.light, some.says) == (Light.GOOD, "1.0 MB bloat")
    assert indexes_cell("kgc", replace(CARE, waiting=3, bloat=2 * 1024**3), NOW).light is Light.WATCH
    assert indexes_cell("kgc", CARE, NOW + timedelta(days=16)).light is Light.UNKNOWN
    assert indexes_cell("kgc", None, NOW).light is Light.UNKNOWN


def test_months_that_wait_are_yellow_and_say_for_what() -> None:
    """A database without rules has nothing to wait for."""
    assert archive_cell("kgc", CARE, has_rules=True).light is Light.GOOD
    waits = archive_cell("kgc", replace(CARE, months=2, planned_rows=41000, unapproved=1), has_rules=True)
    assert (waits.light, waits.says) == (Light.WATCH, "2 months wait")
    assert waits.why == "2 months with 41,000 rows wait, and somebody must approve the rule first."
    approved = archive_cell("kgc", replace(CARE, months=2, planned_rows=41000), has_rules=True)
    assert approved.why == "2 months with about 41,000 rows wait, and the next run moves them."
    assert archive_cell("kgc", replace(CARE, refusals="a trigger"), has_rules=True).says == "refused"
    assert archive_cell("kgc", None, has_rules=True).light is Light.UNKNOWN
    assert archive_cell("kgc", None, has_rules=False).light is Light.GOOD


def test_a_run_that_died_without_a_word_is_red() -> None:
    """It leads to the run itself."""
    judged = work_cell("kgc", [RUN, replace(RUN, pipeline="analyze", outcome="vanished")], [], NOW)
    assert (judged.light, judged.says) == (Light.BAD, "analyze vanished")
    assert judged.why == "Analyze began 7 h ago. It died without a word."
    assert judged.link == "run:http://airflow.test/dags/kgc.backup/runs/1"


def test_a_run_that_goes_on_is_no_trouble() -> None:
    """And of a database without any run nothing is known."""
    assert work_cell("kgc", [replace(RUN, outcome="running")], [], NOW).says == "backup running"
    assert work_cell("kgc", [RUN], [], NOW).light is Light.GOOD
    assert work_cell("kgc", [], [], NOW).light is Light.UNKNOWN


def test_a_run_that_was_refused_before_it_began_is_red() -> None:
    """The ledger has no run of it, only people were told; the run that ended well before it says nothing any more."""
    judged = work_cell("kgc", [RUN], [ALERT], NOW)
    assert (judged.light, judged.says) == (Light.BAD, "backup failed")
    assert judged.why == "Backup failed 1 h ago. The vault is full."
    assert work_cell("kgc", [], [ALERT], NOW).light is Light.BAD
    (row,) = with_alerts([RUN], [ALERT])
    assert (row.outcome, row.error_code, row.good_at) == ("failed", "vault.full", NOW - 6 * HOUR)
    found = replace(ALERT, key="pgtend/production/kgc/health/disk", pipeline="health")
    assert work_cell("kgc", [RUN], [found], NOW).light is Light.GOOD


@pytest.mark.parametrize(
    ("alert", "rows", "light", "says"),
    [
        (ALERT, [replace(RUN, outcome="running")], Light.WATCH, "backup failed, runs again"),
        (replace(ALERT, key=f"{ALERT.key}-late"), [RUN], Light.WATCH, "backup is late"),
        (
            replace(ALERT, database="fleet", pipeline="server db1:5432", concerns=["kgc"]),
            [RUN],
            Light.BAD,
            "server away",
        ),
    ],
)
def test_work_in_doubt_is_never_green(alert: AlertRow, rows: list[PipelineRow], light: Light, says: str) -> None:
    """What failed and is tried again, what is late, and a server that is away."""
    judged = work_cell("kgc", rows, [alert], NOW)
    assert (judged.light, judged.says) == (light, says)
    assert judged.why.endswith(", for 3 h: the vault is full.")


def test_an_alert_is_red_until_somebody_is_on_it() -> None:
    """Then yellow until the acknowledgement ends or it recovers."""
    assert alerts_cell("kgc", [], NOW).light is Light.GOOD
    judged = alerts_cell("kgc", [ALERT], NOW)
    assert (judged.light, judged.says, judged.why) == (
        Light.BAD,
        "1 open",
        "For 3 h: the vault is full [vault.full].",
    )
    taken = replace(ALERT, acknowledged_by="airflow:ada", acknowledged_until=NOW + HOUR)
    judged = alerts_cell("kgc", [taken], NOW)
    assert (judged.light, judged.says) == (Light.WATCH, "1 acknowledged")
    assert judged.why == "ada acknowledged it: the vault is full. It broke 3 h ago."
    assert alerts_cell("kgc", [taken], NOW + 2 * HOUR).light is Light.BAD
    assert alerts_cell("kgc", [taken, ALERT], NOW).says == "1 open"


def test_statements_are_judged_by_the_newest_night() -> None:
    """Slower than usual is yellow, worth an alert is red, and a night too old says nothing."""
    night = JudgedNight(
        database="kgc", day=date(2026, 11, 20), at=NOW - HOUR, judged=212, remark="", regressions=0, alerts=0, worst=0.0
    )
    assert statements_cell("kgc", night, NOW).light is Light.GOOD
    slower = replace(night, regressions=2, worst=3.42)
    judged = statements_cell("kgc", slower, NOW)
    assert (judged.light, judged.says) == (Light.WATCH, "2 slower")
    assert judged.why == "Slower than usual on 2026-11-20: 2 statements, the worst 3.4 times."
    assert statements_cell("kgc", replace(slower, alerts=1), NOW).light is Light.BAD
    assert statements_cell("kgc", slower, NOW + timedelta(days=3)).light is Light.UNKNOWN
    assert statements_cell("kgc", None, NOW).light is Light.UNKNOWN
    whole = statements_cell("kgc", replace(night, all_slower=2.04), NOW)
    assert (whole.light, whole.says) == (Light.WATCH, "all slower")
    assert whole.why == "On 2026-11-20 everything together took 2.0 times as long as usual."
    assert statements_cell("kgc", replace(night, all_slower=2.04, alerts=1), NOW).light is Light.BAD
    early = statements_cell("kgc", replace(night, judged=0), NOW)
    assert (early.light, early.says) == (Light.UNKNOWN, "too early to tell")
    counted_anew = statements_cell("kgc", replace(night, judged=0, remark="nothing was counted: the first night"), NOW)
    assert (counted_anew.light, counted_anew.says) == (Light.UNKNOWN, "not judged")
    assert counted_anew.why == "On 2026-11-20 nothing was counted: the first night."


def test_the_days_before_are_as_many() -> None:
    """A week is compared with the week before it, without a day twice."""
    week = Days(date(2026, 11, 14), date(2026, 11, 20))
    assert week.before() == Days(date(2026, 11, 7), date(2026, 11, 13))


def test_health_that_nobody_looked_at_is_not_known() -> None:
    """A critical finding is red, a warning yellow, and a look too old is no look."""
    known = WorstHealth(
        database="kgc", level="ok", looked_at=NOW - HOUR, is_stale=False, troubles=0, metric=None, reason=None
    )
    assert health_cell("kgc", known, NOW).says == "well"
    full = replace(known, level="critical", troubles=2, metric="connections_used", reason="95 % are taken")
    judged = health_cell("kgc", full, NOW)
    assert (judged.light, judged.says) == (Light.BAD, "connections used, and 1 more")
    assert judged.why == "Connections used: 95 % are taken."
    assert health_cell("kgc", replace(full, level="warning"), NOW).light is Light.WATCH
    assert health_cell("kgc", replace(full, level="unknown"), NOW).light is Light.UNKNOWN
    assert health_cell("kgc", replace(known, is_stale=True), NOW).light is Light.UNKNOWN
    ahead = health_cell("kgc", replace(known, looked_at=NOW + 5 * HOUR), NOW)
    assert (ahead.light, ahead.says) == (Light.UNKNOWN, "not looked at")
    assert (
        ahead.why == "Its last look was dated 2026-11-21 14:00 UTC by a clock that was wrong; the next one replaces it."
    )
    assert health_cell("kgc", None, NOW).light is Light.UNKNOWN


def test_pools_are_sized_by_work_and_leaks_are_named() -> None:
    """Half as much again as what worked at the same time; whoever holds more than it uses is named."""
    held = PoolRow(
        application="app",
        role="app",
        sessions=48,
        active=6,
        idle=41,
        idle_in_transaction=1,
        idle_long=30,
        looked_at=NOW,
    )
    peaks = {
        "sessions": Peak(metric="sessions", looks=2016, highest=108.0, usual_peak=100.0),
        "sessions_active": Peak(metric="sessions_active", looks=2016, highest=23.0, usual_peak=22.0),
    }
    advice = pool_advice([held, replace(held, application="reports", sessions=6, idle_long=2)], peaks)
    assert advice.suggested == 35
    (leak,) = advice.leaks
    assert leak.startswith("The application app (app) has not used 30 of its 48 connections for long")
    assert pool_advice([held], {}).suggested is None
