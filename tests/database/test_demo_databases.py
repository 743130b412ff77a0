"""The five databases of the demo, as five teams would have them, on the oldest and the newest PostgreSQL."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from bed.clusters import MAJORS, tools_of
from demo.databases import traffic
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, TEAMS, TENDER, at_database, login_roles
from demo.databases.seed import Seeding, seed_fleet
from demo.databases.traffic import Application, run_traffic
from pgtend.postgres.throwaway import ThrowawayServer

TODAY = date(2026, 11, 21)


@dataclass(frozen=True, slots=True)
class DemoFleet:
    """A server with the five databases, seeded, and the passwords of their roles."""

    major: int
    admin: str
    passwords: dict[str, str]
    seedings: dict[str, Seeding]

    @contextmanager
    def connect(self, database: str, user: str = "postgres", **settings: str) -> Generator[psycopg.Connection]:
        """Enter a database and leave nothing behind."""
        password = {"password": self.passwords[user]} if user in self.passwords else {}
        with psycopg.connect(make_conninfo(at_database(self.admin, database), user=user, **password)) as connection:
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", value))
            yield connection
            connection.rollback()

    def ask(self, database: str, question: str, user: str = "postgres", **settings: str) -> object:
        """Ask for one value."""
        with self.connect(database, user, **settings) as connection:
            row = connection.execute(question.encode()).fetchone()
            assert row is not None
            return row[0]


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"pg{major}")
def fleet(request: pytest.FixtureRequest) -> Generator[DemoFleet]:
    """Create and seed the fleet once for each server version; the names are fixed, so the server is ours alone."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(request.param), settings={"shared_preload_libraries": ""}) as server:
        admin = server.superuser().conninfo
        assert create_fleet(admin, passwords, progress=str) == FLEET
        seedings = seed_fleet(admin, today=TODAY, progress=str)
        yield DemoFleet(request.param, admin, passwords, seedings)


def test_every_database_has_the_rows_its_size_says(fleet: DemoFleet) -> None:
    """The development size is what it says it is, on every server."""
    expected = {
        ("kgc", "health_metrics"): 6846,
        ("kgc", "users"): 29,
        ("kgc", "chat_memory"): 1200,
        ("heliotrope", "workshop_step_data"): 3384,
        ("heliotrope", "navigation_events"): 3000,
        ("scribemed", "encounters"): 1500,
        ("scribemed", "audit_logs"): 4000,
        ("vaxtrace", "stock_snapshots"): 8410,
        ("vaxtrace", "facilities"): 60,
        ("healthmate", "health_data"): 8000,
    }
    assert {key: fleet.seedings[key[0]].rows[key[1]] for key in expected} == expected
    assert [f"{name}.{table}" for name, done in fleet.seedings.items() for table, n in done.rows.items() if n == 0] == [
        # The two that the applications' own triggers fill.
        "kgc.role_changes",
        "heliotrope.sensitive_changes",
    ]


def test_the_same_day_and_size_give_the_same_rows_on_every_server(fleet: DemoFleet) -> None:
    """Content is made from row numbers, so that a hash written down once holds everywhere."""
    question = "SELECT md5(string_agg(hm::text, '|' ORDER BY id)) FROM health_metrics AS hm WHERE id <= 6846"
    assert fleet.ask("kgc", question) == "3941ee838147e78b05f161d03a9ff2da"
    question = "SELECT md5(string_agg(concat_ws(' ', id, email, created_at::date), '|' ORDER BY id)) FROM users"
    assert fleet.ask("scribemed", question) == "c50608209bb1fed218b6b96af049e5c2"


def test_creating_and_seeding_again_changes_nothing(fleet: DemoFleet) -> None:
    """Whoever runs it twice gets told, and nothing else happens."""
    assert create_fleet(fleet.admin, fleet.passwords, progress=str) == ()
    said: list[str] = []
    again = seed_fleet(fleet.admin, databases=("vaxtrace",), today=TODAY, progress=said.append)
    assert again["vaxtrace"].was_needed is False
    assert said == ["vaxtrace: has rows already, left alone (--reset makes them anew)"]
    assert fleet.ask("vaxtrace", "SELECT count(*) FROM facilities") == 60


def test_a_reset_makes_the_same_rows_anew(fleet: DemoFleet) -> None:
    """Reset is for a demo that was played with: what was added is gone, what was there is back."""
    with fleet.connect("heliotrope") as connection:
        connection.execute("DELETE FROM users WHERE id > 10")
        connection.commit()
    again = seed_fleet(fleet.admin, databases=("heliotrope",), today=TODAY, reset=True, progress=str)
    untouched = {"sensitive_changes": 0}
    assert dict(again["heliotrope"].rows) | untouched == dict(fleet.seedings["heliotrope"].rows) | untouched


def test_everything_belongs_to_an_owner_who_is_no_superuser(fleet: DemoFleet) -> None:
    """Schemas load as their owner, so that a restore by the owner can succeed too."""
    strangers = """
        SELECT array_agg(c.oid::regclass::text) FROM pg_class AS c
        WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'analytics'))
          AND pg_get_userbyid(c.relowner) <> current_database() || '_owner'
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
    """
    assert {name: fleet.ask(name, strangers) for name in FLEET} == dict.fromkeys(FLEET)
    supers = "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname LIKE '%\\_owner'"
    assert fleet.ask("kgc", supers) == 0


def test_scores_lie_between_0_and_100_and_know_of_each_other(fleet: DemoFleet) -> None:
    """The metrics look like a patient's and not like noise; no day lies in the future."""
    outside = """
        SELECT count(*) FROM health_metrics
        WHERE id <= 6846 AND NOT (diet_score BETWEEN 0 AND 100 AND date < '2026-11-21')
    """
    assert fleet.ask("kgc", outside) == 0
    correlation = fleet.ask("kgc", "SELECT corr(medication_score, diet_score) FROM health_metrics")
    assert isinstance(correlation, float)
    assert 0.5 < correlation < 0.95
    old = fleet.ask("kgc", "SELECT count(*) FROM health_metrics WHERE date < date '2026-11-21' - 365")
    assert isinstance(old, int)
    assert old > 500, "an archive has something to move"


def test_a_score_outside_its_range_is_refused(fleet: DemoFleet) -> None:
    """The guide's checks are there and bite."""
    with fleet.connect("kgc") as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO health_metrics VALUES (DEFAULT, 10, now(), 100.5, 1, 1)")


def test_a_patient_sees_own_rows_only(fleet: DemoFleet) -> None:
    """Row-level security as the application meets it."""
    question = "SELECT array_agg(DISTINCT user_id) FROM health_metrics"
    assert fleet.ask("kgc", question, "kgc_app", user_id="10", role="patient") == [10]
    assert fleet.ask("kgc", question, "kgc_app", user_id="", role="") is None
    assert fleet.ask("kgc", question, "kgc_app") is None, "who never said who they are sees nothing, and gets no error"


def test_a_patient_reports_for_nobody_else(fleet: DemoFleet) -> None:
    """Reading is not the only thing a policy guards."""
    report = "INSERT INTO health_metrics (user_id, medication_score, diet_score, exercise_score) VALUES (%s, 1, 2, 3)"
    with fleet.connect("kgc", "kgc_app", user_id="10", role="patient") as connection:
        assert connection.execute(report.encode(), (10,)).rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(report.encode(), (11,))


def test_a_doctor_sees_the_patients_of_today_only(fleet: DemoFleet) -> None:
    """A patient who left a doctor is out of that doctor's sight."""
    truth = """
        SELECT array_agg(DISTINCT user_id) FROM health_metrics
        WHERE user_id IN (SELECT patient_id FROM doctor_patients WHERE doctor_id = 5 AND active)
    """
    own = fleet.ask("kgc", truth)
    seen = fleet.ask(
        "kgc", "SELECT array_agg(DISTINCT user_id) FROM health_metrics", "kgc_app", user_id="5", role="doctor"
    )
    assert seen == own
    assert fleet.ask("kgc", "SELECT count(*) FROM doctor_patients WHERE doctor_id = 5 AND NOT active") == 2
    assert fleet.ask("kgc", "SELECT count(*) FROM chat_memory", "kgc_app", user_id="5", role="doctor") == 0


def test_an_administrator_sees_everything(fleet: DemoFleet) -> None:
    """The third kind of the guide's policies."""
    assert fleet.ask("kgc", "SELECT count(*) FROM health_metrics WHERE id <= 6846", "kgc_app", role="admin") == 6846


def test_an_organization_sees_its_own_patients_only(fleet: DemoFleet) -> None:
    """The other kind of row-level security in the fleet: by tenant."""
    tenant = str(fleet.ask("scribemed", "SELECT id FROM organizations ORDER BY slug LIMIT 1"))
    question = "SELECT count(*) FROM patients"
    assert fleet.ask("scribemed", question, "scribemed_app", organization_id=tenant) == 200
    assert fleet.ask("scribemed", question, "scribemed_app") == 0


def test_every_snapshot_lies_in_the_partition_of_its_month(fleet: DemoFleet) -> None:
    """Partitions are whole months, without a gap, and reach into the months to come."""
    astray = """
        SELECT count(*) FROM stock_snapshots
        WHERE tableoid::regclass::text <> 'stock_snapshots_' || to_char(snapshot_date, 'YYYY_MM')
    """
    assert fleet.ask("vaxtrace", astray) == 0
    months = """
        SELECT bool_and(EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'stock_snapshots'::regclass
            AND inhrelid = to_regclass('stock_snapshots_' || to_char(m, 'YYYY_MM'))))
        FROM generate_series(timestamp '2025-09-01', timestamp '2026-12-01', interval '1 month') AS m
    """
    assert fleet.ask("vaxtrace", months) is True
    with fleet.connect("vaxtrace") as connection, pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
        connection.execute("INSERT INTO stock_snapshots VALUES (1, 1, '1999-01-01', 1, 1, 1, 'low')")


def test_every_foreign_key_and_check_is_validated(fleet: DemoFleet) -> None:
    """Nothing was loaded past the rules."""
    open_ones = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
    assert {name: fleet.ask(name, open_ones) for name in FLEET} == dict.fromkeys(FLEET, 0)


def test_healthmate_holds_the_rows_that_its_missing_rules_would_refuse(fleet: DemoFleet) -> None:
    """The four constraint migrations have not run, and the data shows it: every 997th row."""
    offenders = """
        SELECT array[(SELECT count(*) FROM health_data WHERE confidence NOT BETWEEN 0 AND 1),
                     (SELECT count(*) FROM symptom_logs WHERE pain_level NOT BETWEEN 0 AND 10),
                     (SELECT count(*) FROM medication_logs WHERE effectiveness NOT BETWEEN 1 AND 10)]
    """
    assert fleet.ask("healthmate", offenders) == [8, 1, 2]


@pytest.mark.parametrize("name", ["heliotrope", "healthmate"])
def test_two_teams_have_no_index_but_those_of_their_constraints(fleet: DemoFleet, name: str) -> None:
    """Advice on indexes has to find them from the traffic, so none may be there already."""
    extra = """
        SELECT count(*) FROM pg_index JOIN pg_class AS c ON c.oid = indrelid
        WHERE c.relnamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    """
    assert fleet.ask(name, extra) == 0
    assert fleet.ask("kgc", extra) != 0, "the question finds indexes where there are some"


def warnings_of_analyze(fleet: DemoFleet, database: str, user: str) -> tuple[int, list[str]]:
    """ANALYZE whatever belongs to the owner, and hear the warnings: without the right it is a warning and no error."""
    warnings: list[str] = []
    with fleet.connect(database, user) as connection:
        connection.add_notice_handler(lambda notice: warnings.append(str(notice.message_primary)))
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'm')"
            " AND pg_get_userbyid(c.relowner) = current_database() || '_owner'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"ANALYZE {table}".encode())
    return len(tables), warnings


@pytest.mark.parametrize(("name", "tables"), [("kgc", 15), ("scribemed", 8), ("healthmate", 10), ("heliotrope", 10)])
def test_the_tender_can_analyze_every_table(fleet: DemoFleet, name: str, tables: int) -> None:
    """The grants are enough on both sides of PostgreSQL 17, for materialized views too."""
    assert warnings_of_analyze(fleet, name, TENDER) == (tables, [])


def test_the_tender_can_analyze_partitions_that_came_after_the_grants(fleet: DemoFleet) -> None:
    """Months are made all the time, and nobody grants anything then."""
    tables, warnings = warnings_of_analyze(fleet, "vaxtrace", TENDER)
    assert tables >= 8 + 16
    assert warnings == []


def test_an_application_cannot_analyze_anything(fleet: DemoFleet) -> None:
    """The check above hears the warnings when there are any."""
    tables, warnings = warnings_of_analyze(fleet, "healthmate", "healthmate_app")
    assert len(warnings) == tables == 10


def test_nobody_enters_the_database_of_another_team(fleet: DemoFleet) -> None:
    """CONNECT is not left to PUBLIC."""
    with (
        pytest.raises(psycopg.OperationalError, match="permission denied for database"),
        fleet.connect("kgc", "vaxtrace_app"),
    ):
        pytest.fail("got in")


def test_the_applications_work_without_an_error(fleet: DemoFleet) -> None:
    """Two seconds of traffic, everything the applications ask being possible for their roles."""
    for done in run_traffic(fleet.admin, fleet.passwords, seconds=2, rate=60, seed=7).values():
        assert done.errors == []
        assert done.done.total() > 20


def test_every_action_of_every_application_works(fleet: DemoFleet) -> None:
    """Rare actions too, which two seconds may never choose."""
    for name in FLEET:
        application = application_of(fleet, name)
        with application.connection:
            for action in application.workload.actions:
                application.perform(action)


def application_of(fleet: DemoFleet, name: str) -> Application:
    """Put an application to work, with dice that always fall alike."""
    team = TEAMS[name]
    conninfo = make_conninfo(at_database(fleet.admin, name), user=team.app, password=fleet.passwords[team.app])
    return Application(team, psycopg.connect(conninfo, autocommit=True, row_factory=dict_row), seed=1)


def test_traffic_ends_at_once_when_told_to(fleet: DemoFleet) -> None:
    """A stop is heard while the application waits for its next action."""
    stop = threading.Event()
    stop.set()
    done = run_traffic(fleet.admin, fleet.passwords, databases=("kgc",), seconds=60, rate=0.01, stop=stop)
    assert done["kgc"].done.total() == 0
    assert done["kgc"].took.total_seconds() < 5


def test_traffic_that_fails_is_counted_and_named(fleet: DemoFleet) -> None:
    """An action that the role may not do ends in the summary, not in silence."""
    with fleet.connect("kgc") as connection:
        connection.execute("REVOKE SELECT ON health_metrics FROM kgc_app")
        connection.commit()
    try:
        done = run_traffic(fleet.admin, fleet.passwords, databases=("kgc",), seconds=1, rate=60)["kgc"]
    finally:
        with fleet.connect("kgc") as connection:
            connection.execute("GRANT SELECT ON health_metrics TO kgc_app")
            connection.commit()
    assert any("permission denied for table health_metrics" in error for error in done.errors)
    assert f"{len(done.errors)} errors" in str(done)


def test_sigterm_ends_the_traffic_cleanly(fleet: DemoFleet, tmp_path: Path) -> None:
    """Whoever stops the demo gets a summary and exit status 0, and no session stays behind."""
    secrets_file = tmp_path / "secrets.json"
    secrets_file.touch(0o600)
    secrets_file.write_text(json.dumps(fleet.passwords), encoding="utf-8")
    script = Path(traffic.__file__)
    argv = (sys.executable, str(script), "--conninfo", fleet.admin, "--secrets", str(secrets_file))
    with subprocess.Popen((*argv, "--database", "vaxtrace"), stdout=subprocess.PIPE, text=True) as running:
        working = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vaxtrace-api'"
        deadline = time.monotonic() + 60
        while fleet.ask("kgc", working) == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert said.startswith("vaxtrace: ")
    assert said.endswith("0 errors\n")
