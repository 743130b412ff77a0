"""Health, metrics and reports from a shell: what a person without Airflow gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase
from bed.ledgers import member_of, new_ledger
from bed.shell import Shell
from pgtend.postgres.throwaway import ThrowawayServer

FLEET = """
fleet: clinic
{ledger}
databases:
  kgc:
    health: {{ignore: [unsafe_settings, disk_used, stale_statistics], limits: {{sessions: {{critical: 1.0}}}}}}
"""

pytestmark = pytest.mark.pg("== 18")


@pytest.fixture
def shell(database: LiveDatabase, tmp_path: Path) -> Shell:
    """Give a shell that knows one database, watched by a role that may monitor."""
    made = Shell(tmp_path)
    monitor = database.new_role("monitor")
    database.run(f'GRANT pg_monitor TO "{monitor.user}"')
    made.know("kgc", monitor)
    made.write_fleet(FLEET.format(ledger=""))
    return made


def test_a_look_says_how_it_stands_and_monitoring_hears_it(shell: Shell, database: LiveDatabase) -> None:
    """Fine is 0; with a session too many it is critical, named with its limit, and 2."""
    fine = shell.pgtend("health", "kgc", "--check", "--all")
    assert fine.status == 0, fine.said
    assert "kgc (PostgreSQL 18" in fine.out
    assert "Connections used" in fine.out
    with database.session(application="web"):
        bad = shell.pgtend("health", "kgc", "--check")
        found = json.loads(shell.pgtend("health", "kgc", "--json").out)
    assert bad.status == 2, bad.said
    assert "critical" in bad.out
    (sessions,) = [metric for metric in found[0]["metrics"] if metric["metric"] == "sessions"]
    assert (sessions["level"], sessions["value"]) == ("critical", 1.0)


def test_a_database_that_does_not_answer_is_critical(shell: Shell) -> None:
    """The reason is told, and the others would still have been looked at."""
    (shell.home / ".pg_service.conf").write_text("[kgc]\nhost=127.0.0.1\nport=1\ndbname=x\nuser=x\nsslmode=disable\n")
    said = shell.pgtend("health", "--check")
    assert said.status == 2
    assert "postgres.unreachable" in said.said


def test_reports_and_metrics_come_from_the_ledger(shell: Shell, server: ThrowawayServer) -> None:
    """Without one they say what to do; with one there are pages, and a file that monitoring picks up."""
    refused = shell.pgtend("report")
    assert (refused.status, "report.nothing_remembered" in refused.said) == (78, True)
    with new_ledger(server) as reporting:
        shell.know("reporting", member_of(reporting, "pgtend_writer"))
        shell.write_fleet(FLEET.format(ledger="ledger: {connection: reporting}"))
        made = shell.pgtend("report", "--to", "pages")
        assert made.status == 0, made.said
        assert "kgc needs somebody now" in made.out
        assert (shell.home / "pages" / "kgc.html").read_text().startswith("<!doctype html>")
        for _ in range(2):
            assert shell.pgtend("metrics", "--output", "pgtend.prom").status == 0
        assert (shell.home / "pgtend.prom").read_text().endswith("# EOF\n")
        assert list(shell.home.glob(".pgtend.prom*")) == []
        assert shell.pgtend("metrics").out.endswith("# EOF\n")
        nowhere = shell.pgtend("metrics", "--output", "nowhere/pgtend.prom")
        assert (nowhere.status, "cli.not_written" in nowhere.said) == (78, True)
