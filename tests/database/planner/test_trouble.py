"""What stands in the way is said with what to do about it, and nothing that did not happen is called done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from bed.clusters import statement
from bed.ledgers import ask
from bed.lines import Acting
from bed.planning import Night
from pgtend.fleet.model import Window
from pgtend.fleet.window import OutsideWindow
from pgtend.ledger.model import Subject
from pgtend.planner.errors import NoSuchTable, NotProved, RightsMissing
from pgtend.planner.job import analyze_database
from pgtend.planner.report import Outcome
from pgtend.postgres.errors import AlreadyTended, LockedOut, StatementRejected

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtend:analyze:%%'"


def evidence(night: Night) -> list[dict[str, object]]:
    """Read what all nights left in the ledger."""
    files = sorted((night.folder / "evidence").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def outcomes(night: Night) -> list[str]:
    """Read how all runs ended."""
    lines = (night.folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    actions = [json.loads(line)["action"] for line in lines]
    return [action for action in actions if action != "run.started"]


def when(night: Night, word: str, act: Callable[[], object]) -> None:
    """Let something happen the first time a line of progress holds this word."""
    night.lines = Acting(word, act)


def make_stale(night: Night, *tables: str) -> None:
    """Make tables of 1,000 rows that nobody ever analyzed."""
    for table in tables:
        night.live.run(
            f"CREATE TABLE clinic.{table} (id int) WITH (autovacuum_enabled = off)",
            f"INSERT INTO clinic.{table} SELECT generate_series(1, 1000)",
            address=night.live.owner,
        )


def as_tender(night: Night, *grants: str) -> Night:
    """Tend the same database as a role that owns nothing."""
    address = night.live.new_role("tender")
    night.live.run(*(grant.format(tender=address.user, owner=night.live.owner.user) for grant in grants))
    return replace(night, address=address)


def test_every_missing_right_is_listed_before_anything_is_done(night: Night) -> None:
    """The statements that the error prints are the ones that help."""
    make_stale(night, "a", "b")
    tender = as_tender(night)
    with pytest.raises(RightsMissing) as caught:
        tender.work()
    assert [line for line in evidence(night) if line["decision"] == "analyze"] == []
    assert outcomes(night) == ["run.failed"]
    night.live.run(*(problem.hint for problem in caught.value.problems))
    try:
        assert {result.name for result in tender.work().ended(Outcome.PROVED)} == {"clinic.a", "clinic.b"}
    finally:
        night.live.run(f"DROP OWNED BY {tender.address.user} CASCADE")


@pytest.mark.pg("< 17")
def test_analyze_that_only_warned_is_not_called_done(night: Night) -> None:
    """Without the right the server says WARNING and then ANALYZE, as if it had happened."""
    make_stale(night, "a")
    tender = as_tender(night, "GRANT USAGE ON SCHEMA clinic TO {tender}", "GRANT {owner} TO {tender}")
    owner = night.live.owner.user
    revoke = f"REVOKE {owner} FROM {tender.address.user}"
    when(tender, " to analyze", lambda: night.live.run(revoke))
    try:
        with pytest.raises(NotProved) as caught:
            tender.work()
    finally:
        night.live.run(f"DROP OWNED BY {tender.address.user} CASCADE")
    assert "the server warned: skipping" in caught.value.detail
    assert "the server's count of ANALYZE did not grow" in caught.value.detail
    assert [(line["outcome"], line["error_code"]) for line in evidence(night) if line["table_name"] == "a"] == [
        ("failed", "planner.not_proved")
    ]


def test_a_locked_table_is_tried_again_and_then_reported_with_who_holds_it(night: Night) -> None:
    """The other tables get their statistics all the same."""
    make_stale(night, "a", "b")
    with night.live.session(application="billing nightly") as blocker, blocker.transaction():
        blocker.run(statement("LOCK TABLE clinic.a IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LockedOut) as caught:
            night.work()
    assert "billing nightly" in caught.value.hint
    assert any("trying 1 locked table again" in line for line in night.lines)
    assert {line["table_name"]: line["outcome"] for line in evidence(night) if line["decision"] == "analyze"} == {
        "a": "locked",
        "b": "proved",
    }


def test_a_table_that_was_locked_only_for_a_while_is_analyzed_at_the_end(night: Night) -> None:
    """A short lock costs no alert."""
    make_stale(night, "a")
    with night.live.session() as blocker:
        blocker.run(statement("BEGIN"))
        blocker.run(statement("LOCK TABLE clinic.a IN ACCESS EXCLUSIVE MODE"))
        when(night, "trying again later", lambda: blocker.run(statement("ROLLBACK")))
        assert [result.name for result in night.work().ended(Outcome.PROVED)] == ["clinic.a"]


def test_a_target_on_a_locked_table_is_set_when_the_lock_is_gone(night: Night) -> None:
    """SET STATISTICS waits for the same lock as ANALYZE."""
    night.rules = {"statistics_targets": {"clinic.visits.patient": 500}}
    with night.live.session() as blocker:
        blocker.run(statement("BEGIN"))
        blocker.run(statement("LOCK TABLE clinic.visits IN ACCESS EXCLUSIVE MODE"))
        when(night, "trying again later", lambda: blocker.run(statement("ROLLBACK")))
        assert [result.name for result in night.work().ended(Outcome.PROVED)] == ["clinic.visits"]
    assert night.decision("clinic.visits").table.targets["patient"] == 500


def test_a_table_dropped_in_between_is_no_failure(night: Night) -> None:
    """The night goes on, and says what it saw."""
    make_stale(night, "a", "b")
    when(night, " to analyze", lambda: night.live.run("DROP TABLE clinic.a"))
    report = night.work()
    assert [result.name for result in report.ended(Outcome.GONE)] == ["clinic.a"]
    assert [result.name for result in report.ended(Outcome.PROVED)] == ["clinic.b"]


def test_a_table_that_was_exchanged_in_between_is_no_failure(night: Night) -> None:
    """Another one has its name, and what ANALYZE did to that says nothing of the one that was looked at."""
    make_stale(night, "a", "b")
    exchange = ("ALTER TABLE clinic.a RENAME TO a_old", "CREATE TABLE clinic.a (LIKE clinic.a_old)")
    when(night, " to analyze", lambda: night.live.run(*exchange, address=night.live.owner))
    report = night.work()
    assert [result.name for result in report.ended(Outcome.GONE)] == ["clinic.a"]
    assert [result.name for result in report.ended(Outcome.PROVED)] == ["clinic.b"]


def test_a_table_that_cannot_be_analyzed_does_not_keep_the_others_waiting(night: Night) -> None:
    """An index on an expression that fails is one table's problem."""
    make_stale(night, "a", "b")
    night.live.run(
        "CREATE FUNCTION clinic.picky(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " $$ BEGIN IF current_setting('application_name') LIKE 'pgtend:analyze:%%' THEN PERFORM no.such(); END IF;"
        " RETURN $1; END $$",
        "CREATE INDEX ON clinic.a (clinic.picky(id))",
    )
    with pytest.raises(StatementRejected):
        night.work()
    assert {line["table_name"]: line["outcome"] for line in evidence(night) if line["decision"] == "analyze"} == {
        "a": "failed",
        "b": "proved",
    }


def test_an_interrupted_night_leaves_no_session_and_says_so(night: Night) -> None:
    """Whoever stops the job stops the server's work too, at once."""
    make_stale(night, "a", "b")
    night.live.run(
        "CREATE FUNCTION clinic.slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " $$ BEGIN IF current_setting('application_name') LIKE 'pgtend:analyze:%%' THEN PERFORM pg_sleep(1); END IF;"
        " RETURN $1; END $$",
        "CREATE INDEX ON clinic.a (clinic.slow(id))",
    )

    def interrupt() -> None:
        raise KeyboardInterrupt

    when(night, "clinic.b proved", interrupt)
    with pytest.raises(KeyboardInterrupt):
        night.work()
    with night.live.session() as looking:
        assert ask(looking, SESSIONS.replace("%%", "%")) == [0]
    assert outcomes(night) == ["run.interrupted"]
    assert [line["outcome"] for line in evidence(night) if line["table_name"] == "b"] == ["proved"]


def test_two_nights_never_meet_in_one_database(night: Night) -> None:
    """The second one says which process holds the first."""
    patience = night.database.limits.lock_timeout
    with (
        night.live.session(application="pgtend:analyze:clinic") as first,
        first.hold("clinic", patience=patience),
        pytest.raises(AlreadyTended) as caught,
    ):
        night.work()
    assert "pgtend:analyze:clinic" in caught.value.detail


def test_nothing_is_started_when_the_time_is_used_up(night: Night) -> None:
    """What is left is postponed by name, and that is no failure."""
    make_stale(night, "a")
    night.rules = {"time_budget": "1 ms"}
    report = night.work()
    assert [result.name for result in report.ended(Outcome.POSTPONED)] == ["clinic.a"]


def test_a_closed_window_is_respected_unless_a_person_says_otherwise(night: Night) -> None:
    """At three in the afternoon the database belongs to its users."""
    at_three = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
    window = Window(start=time(1), end=time(5))
    rules = night.database.analyze.model_copy(update={"window": window})
    database = night.database.model_copy(update={"analyze": rules})
    subject = Subject("clinic", "analyze", "test")
    with pytest.raises(OutsideWindow):
        analyze_database(database, night.address, night.ledger, subject, print, clock=lambda: at_three)
    report = analyze_database(
        database, night.address, night.ledger, subject, print, clock=lambda: at_three, ignore_window=True
    )
    assert len(report.results) == 1
    assert outcomes(night) == ["run.failed", "run.succeeded"]


def test_a_table_that_does_not_exist_is_not_fresh(night: Night) -> None:
    """A name with a mistake in it is refused: nothing to analyze would be taken for good news."""
    make_stale(night, "a")
    for pattern in ("clinic.aa", "nothing*"):
        with pytest.raises(NoSuchTable):
            night.work(only=["clinic.a", pattern])


def test_only_what_was_asked_for_is_looked_at(night: Night) -> None:
    """A person may ask for one table and needs rights on that one alone."""
    make_stale(night, "a", "b")
    assert [result.name for result in night.work(only=["clinic.a"]).ended(Outcome.PROVED)] == ["clinic.a"]
