"""A running Airflow, and everything in it that can be killed: nothing of a task lives on, and the watchdog tells.

Somebody else holds a lock on the table, so that the task sits in ANALYZE when it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from psycopg import sql

from bed.airflow_site import AirflowSite, children_of, connection, is_running, metadata_address
from bed.clusters import Clusters, LiveDatabase, new_database, statement, tools_of
from bed.ledgers import ask, member_of, new_ledger
from bed.message_sinks import WebhookSink, webhook_sink
from bed.watchman import Watchman
from pgtend.postgres.throwaway import ThrowawayServer

pytestmark = pytest.mark.long
DAG_ID = "kgc.analyze"
FLEET = """
fleet: clinic
ledger: {connection: ledger}
alerts: {channels: {chat: {apprise: {connection: chat}}}}
databases:
  kgc:
    window: {start: "00:00", end: "00:00"}
    limits: {lock_timeout: 2 min, statement_timeout: 5 min, sessions: 2}
    analyze: {schedule: "0 12 15 6 *"}
  slow:
    window: {start: "00:00", end: "00:00"}
    limits: {lock_timeout: 2 min, statement_timeout: 5 min, sessions: 2}
    analyze: {schedule: "0 12 15 6 *", time_budget: 9 s, deadline: 10 s}
"""
SESSIONS = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'pgtend:analyze:%'"
LOCKS = """
    SELECT count(*)::int FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database()
"""
TOLD = ["[clinic production] kgc.analyze failed", "[clinic production] kgc.analyze recovered"]
OUTCOMES = "SELECT outcome FROM reporting.runs ORDER BY started_at"


@dataclass(frozen=True, slots=True)
class Stuck:
    """A run that waits in the middle of its work, and the processes it is made of."""

    run_id: str
    task: int
    supervisor: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A running Airflow with one database to tend."""

    site: AirflowSite
    source: LiveDatabase
    reporting: LiveDatabase
    chat: WebhookSink

    @contextmanager
    def stuck_run(self, dag_id: str = DAG_ID) -> Generator[Stuck]:
        """Start a run that sits in ANALYZE behind somebody's lock."""
        self.source.run("TRUNCATE public.visits", "INSERT INTO public.visits SELECT generate_series(1, 1000)")
        with self.source.session(application="nightly import") as holder, holder.transaction():
            holder.run(statement("LOCK TABLE public.visits IN SHARE UPDATE EXCLUSIVE MODE"))
            run_id = self.site.trigger(dag_id)
            self.site.wait("ANALYZE to wait for the lock", self.is_waiting, patience=180)
            self.site.wait("the task before it to be gone", lambda: len(self.tasks()) == 1, patience=60)
            ((task, supervisor),) = self.tasks()
            yield Stuck(run_id, task, supervisor)

    def tasks(self) -> list[tuple[int, int]]:
        """List the task processes of this site, each with its supervisor."""
        workers = children_of(self.site.running["scheduler"].pid)
        return [(task, worker) for worker in workers for task in children_of(worker) if is_running(task)]

    def is_waiting(self) -> bool:
        """Whether a session of ours waits for a lock."""
        return self._count(f"{SESSIONS} AND wait_event_type = 'Lock'") > 0

    def is_clean(self, stuck: Stuck) -> bool:
        """Whether no session, no lock and no process of a run is left."""
        return not (self._count(SESSIONS) or self._count(LOCKS) or is_running(stuck.task))

    def is_good_again(self) -> bool:
        """Whether a new run ends well, now that nobody holds the table."""
        return self.site.finish(DAG_ID, self.site.trigger(DAG_ID), patience=180) == "success"

    def is_quiet(self) -> None:
        """Wait until nothing is open from an earlier story, and forget its messages."""
        with self.reporting.session() as ledger:
            self.site.wait("quiet", lambda: ask(ledger, "SELECT key FROM reporting.open_alerts") == [], patience=60)
        self.chat.posts.clear()

    @contextmanager
    def killed(self, component: str, how: signal.Signals = signal.SIGKILL) -> Generator[None]:
        """Let a component be gone until the block ends; Airflow itself has noticed by then."""
        self.site.kill(component, how)
        try:
            self.site.wait("its absence to be noticed", lambda: not self.site.is_healthy(), patience=60)
            yield
        finally:
            self.site.start(component)
            self.site.wait("all to be well", self.site.is_healthy, patience=60)

    def outcomes(self) -> list[object]:
        """Tell what the ledger says of all runs."""
        with self.reporting.session() as ledger:
            return ask(ledger, OUTCOMES)

    def _count(self, question: str) -> int:
        with self.source.session() as watcher:
            (count,) = ask(watcher, question)
        return int(str(count))


class Stoppable(Protocol):
    """What can be stopped and started again where it was."""

    def start(self) -> object:
        """Be there."""

    def stop(self) -> object:
        """Be gone."""


@contextmanager
def away(part: Stoppable) -> Generator[None]:
    """Let something be gone until the block ends."""
    part.stop()
    try:
        yield
    finally:
        part.start()


@pytest.fixture(scope="module")
def stage(clusters: Clusters) -> Generator[Stage]:
    """Start Airflow once for all stories of this page."""
    server = clusters.server(15)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgtend-site-")))
        source, metadata = (stack.enter_context(new_database(server)) for _ in range(2))
        reporting = stack.enter_context(new_ledger(server))
        tender = source.new_role("tender")
        source.run("CREATE TABLE public.visits (id bigint) WITH (autovacuum_enabled = off)")
        with source.session() as session:
            session.run(statement("ALTER TABLE public.visits OWNER TO {role}"), role=sql.Identifier(tender.user))
        (home / "fleet.yaml").write_text(FLEET)
        chat = stack.enter_context(webhook_sink())
        config = {"config": [{"path": f"json://127.0.0.1:{chat.port}/"}]}
        settings = {
            "PGTEND_FLEET": str(home / "fleet.yaml"),
            "AIRFLOW_CONN_KGC": connection(tender),
            "AIRFLOW_CONN_SLOW": connection(tender),
            "AIRFLOW_CONN_LEDGER": connection(member_of(reporting, "pgtend_writer")),
            "AIRFLOW_CONN_CHAT": json.dumps({"conn_type": "apprise", "extra": config}),
        }
        site = stack.enter_context(AirflowSite(home=home, metadata=metadata_address(metadata), settings=settings))
        site.wait("the DAG", lambda: site.knows(DAG_ID), patience=120)
        yield Stage(site, source, reporting, chat)


def test_the_log_of_a_failed_task_ends_with_what_to_do(stage: Stage) -> None:
    """The last lines a person sees are the error and the hint; our plugin loads; no other file of ours is in error."""
    stage.is_quiet()
    assert stage.site.get("plugins/importErrors")["import_errors"] == []
    assert stage.site.get("importErrors")["import_errors"] == []
    stage.source.run("ALTER TABLE public.visits OWNER TO postgres")
    try:
        run_id = stage.site.trigger(DAG_ID)
        assert stage.site.finish(DAG_ID, run_id) == "failed"
    finally:
        stage.source.run(f'ALTER TABLE public.visits OWNER TO "{stage.source.role_name("tender")}"')
    log = stage.site.task_log(DAG_ID, run_id, "plan")
    said = log[log.rindex("[planner.rights_missing]") :]
    assert "HINT: " in said
    assert "Traceback" not in said
    assert stage.is_good_again()
    stage.site.wait("the good news", lambda: len(stage.chat.posts) > 1, patience=60)
    assert [post["title"].split(":")[0] for post in stage.chat.posts] == TOLD


def test_a_run_marked_as_failed_stops_at_once(stage: Stage) -> None:
    """A click in the UI ends the query in the server, gives the lock back, and the ledger says interrupted."""
    stage.is_quiet()
    with stage.stuck_run() as stuck:
        stage.site.patch(f"dags/{DAG_ID}/dagRuns/{stuck.run_id}/taskInstances/analyze", new_state="failed")
        took = stage.site.wait("everything of the task to be gone", lambda: stage.is_clean(stuck), patience=30)
        print(f"from the click to clean: {took:.1f} s")  # noqa: T201 - a figure people ask for
    assert stage.outcomes()[-1] == "interrupted"
    assert stage.site.finish(DAG_ID, stuck.run_id) == "failed"
    stage.site.wait("the alert", lambda: len(stage.chat.posts) > 0, patience=60)
    assert stage.is_good_again()
    assert stage.outcomes()[-1] == "succeeded"
    stage.site.wait("the good news", lambda: len(stage.chat.posts) > 1, patience=60)
    assert [post["title"].split(":")[0] for post in stage.chat.posts] == TOLD


def test_a_task_does_not_outlive_its_supervisor(stage: Stage) -> None:
    """`kill -9` of the worker, as when memory runs out: the task notices, and the run after it is good."""
    with stage.stuck_run() as stuck:
        os.kill(stuck.supervisor, signal.SIGKILL)
        took = stage.site.wait("everything of the task to be gone", lambda: stage.is_clean(stuck), patience=30)
        print(f"from kill -9 of the worker to clean: {took:.1f} s")  # noqa: T201 - same
    assert stage.outcomes()[-1] in {"interrupted", "running"}
    stage.site.give_up(DAG_ID, stuck.run_id)
    assert stage.is_good_again()


def test_a_killed_task_process_leaves_nothing(stage: Stage) -> None:
    """`kill -9` of the task itself: the server ends the query by itself, and the next run closes the open one."""
    with stage.stuck_run() as stuck:
        os.kill(stuck.task, signal.SIGKILL)
        took = stage.site.wait("everything of the task to be gone", lambda: stage.is_clean(stuck), patience=30)
        print(f"from kill -9 of the task to clean: {took:.1f} s")  # noqa: T201 - same
    assert stage.outcomes()[-1] == "running"
    stage.site.give_up(DAG_ID, stuck.run_id)
    assert stage.is_good_again()
    assert stage.outcomes()[-2:] == ["vanished", "succeeded"]


def test_a_killed_scheduler_leaves_nothing(stage: Stage) -> None:
    """`kill -9` of the scheduler and a new one: the work is taken up again, never twice at once, and ends well.

    What is left of the old one is ended before the new one starts, as systemd, Docker and `make demo` do.
    """
    with stage.stuck_run() as stuck:
        stage.site.kill("scheduler")
        stage.site.start("scheduler")
        took = stage.site.wait("the old task to be gone", lambda: not is_running(stuck.task), patience=120)
        print(f"from kill -9 of the scheduler to the end of the old task: {took:.1f} s")  # noqa: T201 - same
    stage.site.finish(DAG_ID, stuck.run_id, patience=300)
    assert stage.is_good_again()
    assert "running" not in stage.outcomes()


def test_a_run_that_is_late_is_told_while_it_runs(stage: Stage) -> None:
    """The deadline passes, people are told once, the run goes on and ends well, and they are told that too."""
    stage.is_quiet()
    with stage.stuck_run("slow.analyze") as stuck:
        stage.site.wait("the alert", lambda: len(stage.chat.posts) > 0, patience=120)
        assert stage.site.run_state("slow.analyze", stuck.run_id) == "running"
    assert stage.site.finish("slow.analyze", stuck.run_id) == "success"
    stage.site.wait("the good news", lambda: len(stage.chat.posts) > 1, patience=60)
    assert [post["title"] for post in stage.chat.posts] == [
        "[clinic production] slow.analyze is late: the run has not ended by its deadline",
        "[clinic production] slow.analyze recovered",
    ]


def test_the_watchdog_tells_of_each_part_that_stops_once_and_of_its_return_once(stage: Stage, tmp_path: Path) -> None:
    """Scheduler, api-server, ledger and mailer, one after the other and all of them real, by the real command."""
    with ExitStack() as stack:
        server = stack.enter_context(ThrowawayServer(tools=tools_of(15)))
        reporting = stack.enter_context(new_ledger(server))
        watchman = stack.enter_context(Watchman.on_duty(tmp_path, stage.site.address, reporting))
        parts = {
            "airflow.scheduler": stage.killed("scheduler", signal.SIGTERM),
            "airflow.api-server": stage.killed("api-server"),
            "ledger": away(server),
            "channel.mail": away(watchman.mailer),
        }
        for key, stopped in parts.items():
            with stopped:
                assert watchman.tells(f"BROKEN: {key}") <= 2
                watchman.goes_on(rounds=2)
            watchman.tells(f"WELL AGAIN: {key}")
            watchman.goes_on(rounds=2)
        assert watchman.told == [f"{said}: {key}" for key in parts for said in ("BROKEN", "WELL AGAIN")]
        last_mail = watchman.mailer.sink.texts()[-1]
        assert last_mail.startswith("[watched production] watchdog: channel.mail is well again")
