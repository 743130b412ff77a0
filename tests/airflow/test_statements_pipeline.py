"""The pipeline `statements` inside Airflow: a statement that got slower is told once, and once when that is over."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bed.airflow_world import World
from bed.counted_clinic import counting_server
from bed.ledgers import ask, tell
from pgtend.fleet.load import fleet_path, load_fleet
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.statements.causes import Cause, Explanation
from pgtend.statements.job import tend_statements
from pgtend.statements.judging import Told, Verdict
from pgtend.statements.model import Finding, Judgement, Kind
from pgtend.statements.quality import Night
from pgtend.statements.snapshot import Target
from pgtend_airflow.alerts.events import send_due_reminders
from pgtend_airflow.alerts.judging import tell_regressions
from pgtend_airflow.alerts.telling import Origin

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ORIGIN = Origin("kgc", "statements", "http://airflow.test/run")
NIGHT = date(2026, 11, 20)
BY_PATIENT = "SELECT count(*) FROM public.stays WHERE patient = {}"
SECRET = "secret-of-a-patient"
READ = Night(
    day=NIGHT, since=None, taken_at=NOW, baseline_reason="", readings=1, missed_nights=0, resets=0, deallocated=0,
    capacity=5000, entries_on_server=10, entries=10, entries_new=0, entries_reset=0, entries_gone=0, entries_counted=10,
    texts_missing=0, calls=1, exec_ms=1.0, bytes_copied=1, is_exact=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def counting() -> Generator[ThrowawayServer]:
    """Give a server that counts statements."""
    with counting_server(18) as server:
        yield server


@pytest.fixture
def tended_server(counting: ThrowawayServer) -> ThrowawayServer:
    """Let the tended database lie on the server that counts."""
    return counting


@pytest.fixture
def counted(world: World) -> World:
    """Give a world whose database counts, and has a table with an index."""
    # An index makes a hundred times; what a busy machine makes of a millisecond is no news here.
    world.add_to_fleet("    statements: {regressions: {ratio: 8.0, alert_least: 1 ms}}")
    monitor = world.tender.user
    world.source.run(
        "CREATE EXTENSION pg_stat_statements SCHEMA public",
        f'GRANT pg_monitor TO "{monitor}"',
        "CREATE TABLE public.stays (id int, patient int, note text) WITH (autovacuum_enabled = off)",
        "INSERT INTO public.stays SELECT x, mod(x, 5000), repeat('x', 100) FROM generate_series(1, 40000) AS x",
        "CREATE INDEX by_patient ON public.stays (patient)",
        f'GRANT SELECT ON public.stays TO "{monitor}"',
        "ANALYZE public.stays",
    )
    return world


def day_of_work(world: World) -> None:
    """Let the application ask what it always asks, with a secret in a comment."""
    with world.source.session() as session:
        for number in range(30):
            tell(session, f"{BY_PATIENT.format(number)} AND note <> '{SECRET}'")


def night(world: World, moment: datetime) -> tuple[Verdict, ...]:
    """Read and judge a night without Airflow."""
    with world.reporting.session() as session:
        rules, ledger = load_fleet(fleet_path()).databases["kgc"], DatabaseLedger(session)
        subject = Subject("kgc", "statements", "test")
        return tend_statements(rules, world.tender, ledger, subject, lambda _: None, moment=moment).verdicts


def test_a_statement_that_got_slower_is_told_once_and_its_end_once(counted: World) -> None:
    """Its index is dropped, missing for two nights and made again: two messages, the second says that it is quick."""
    day_of_work(counted)
    for days_ago in range(9, 1, -1):
        night(counted, NOW - days_ago * DAY)
        day_of_work(counted)
    assert counted.messages() == []
    counted.source.run("DROP INDEX public.by_patient")
    day_of_work(counted)
    assert counted.run("kgc.statements", moment=NOW - DAY).state == "success", counted.log()
    (title,) = counted.messages()
    assert title.startswith("[clinic production] kgc.statements needs attention: a statement of postgres takes ")
    told = counted.mail.texts()[0]
    assert "Statement: SELECT count(*) FROM public.stays WHERE patient = $1 AND note <> $2" in " ".join(told.split())
    assert str(Cause.ANOTHER_PLAN) in " ".join(told.split())
    assert f"First bad night: {(NOW - DAY - DAY / 2).date()}." in told
    assert "Impact: " in told
    assert "warning: a statement takes longer than it usually does; no run failed" in told
    assert "slower-statement.md" in told
    day_of_work(counted)
    for verdict in night(counted, NOW):
        tell_regressions(load_fleet(fleet_path()), ORIGIN, verdict)
    assert counted.messages() == [title]
    counted.source.run("CREATE INDEX by_patient ON public.stays (patient)")
    day_of_work(counted)
    assert counted.run("kgc.statements", moment=NOW + DAY).state == "success", counted.log()
    assert counted.messages() == [title, "[clinic production] kgc.statements recovered"]
    assert "It is about as quick as it was before." in counted.mail.texts()[1]
    assert SECRET not in counted.log() + "".join(counted.mail.texts()) + str(counted.chat.posts)
    with counted.reporting.session() as ledger:
        assert ask(ledger, "SELECT severity || ' ' || code FROM reporting.alert") == ["ticket statements.slower"]


def slower(number: int, *, nights: int = 1) -> Told:
    """Describe a statement that got slower."""
    found = Finding(
        kind=Kind.REGRESSION, fingerprint=f"{number:016x}", role="app", calls=100, mean_ms=60.0, usual_ms=10.0,
        ratio=6.0, extra_ms=5000.0 - number, share=0.02, first_bad_day=NIGHT, nights=nights, is_alert=True,
    )  # fmt: skip
    why = Explanation(Cause.SPILLS, {})
    return Told(finding=found, explanation=why, events=(), query=f"VACUUM {'x' * number}")


def judged(*told: Told, replica: str = "", remark: str = "") -> Verdict:
    """Describe a judged night."""
    judgement = Judgement(
        day=NIGHT,
        judged=50,
        nights=28,
        night_shift=1.0,
        findings=tuple(one.finding for one in told),
        remark=remark,
        means={(f"{number:016x}", "app"): 10.0 for number in range(50)},
    )
    return Verdict(
        target=Target(database="kgc", replica=replica), night=READ, judgement=judgement, told=told, ratio_limit=1.3
    )


def hear(world: World, verdict: Verdict) -> list[str]:
    """Tell what is news in a night, and give what was said of it."""
    before = len(world.messages())
    tell_regressions(load_fleet(fleet_path()), ORIGIN, verdict)
    return [title.removeprefix("[clinic production] kgc.statements ") for title in world.messages()[before:]]


def test_a_night_in_which_forty_got_slower_is_six_messages(world: World) -> None:
    """Five by name and the rest as one; the night after none of them is news, and what is new then is told by name."""
    forty = [slower(number) for number in range(1, 41)]
    said = hear(world, judged(*forty))
    assert said[:5] == [
        f"needs attention: a statement of app takes 6.0 times as long as usual: VACUUM {'x' * number}"
        for number in range(1, 6)
    ]
    assert said[5] == "needs attention: 35 more statements take longer than usual"
    still = [replace(one, finding=replace(one.finding, nights=2)) for one in forty]
    assert hear(world, judged(*still)) == []
    (newcomer,) = hear(world, judged(*still, slower(45)))
    assert newcomer.startswith("needs attention: a statement of app")
    assert hear(world, judged(*still[:5], slower(45))) == ["recovered"]
    assert hear(world, judged()) == ["recovered"] * 6


def test_a_night_that_was_not_judged_is_no_news_of_any_kind(world: World) -> None:
    """After a failover nothing can be compared: what was slow may still be slow."""
    assert len(hear(world, judged(slower(1)))) == 1
    assert hear(world, judged(remark="nothing was counted: another cluster answers")) == []
    assert hear(world, judged()) == ["recovered"]


def test_a_replica_and_the_whole_server_are_conditions_of_their_own(world: World) -> None:
    """The same statement may be slow on one of two servers; a slow night is one message and not one of each."""
    everything = replace(
        slower(1), finding=Finding(kind=Kind.WHOLE_SERVER, ratio=1.6, extra_ms=60_000, share=1.0, is_alert=True)
    )
    assert hear(world, judged(everything)) == ["needs attention: every statement takes 1.6 times as long as usual"]
    (far,) = hear(world, judged(slower(1), replica="far"))
    assert "as long as usual on the replica far: VACUUM x" in far
    assert hear(world, judged()) == ["recovered"]
    assert "The server as a whole is as quick as usual again." in world.mail.texts()[-1]
    assert hear(world, judged(replica="far")) == ["recovered"]


def test_a_message_that_no_channel_took_is_sent_by_the_reminders(world: World) -> None:
    """The chat and the mail were away: nothing is lost, and it is said once."""
    working = {name: world.environment(name) for name in ("mail", "chat")}
    world.set("mail", {"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": {"retry_limit": 0}})
    world.set("chat", {"conn_type": "apprise", "extra": {"config": [{"path": "json://127.0.0.1:1/"}]}})
    assert hear(world, judged(slower(1))) == []
    for name, connection in working.items():
        world.set(name, json.loads(connection))
    assert hear(world, judged(slower(1))) == []
    send_due_reminders()
    assert hear(world, judged(slower(1))) == []
    assert [title.partition(":")[0] for title in world.messages()] == ["[clinic production] kgc.statements still fails"]
