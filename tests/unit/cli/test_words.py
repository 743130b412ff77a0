"""What the command line decides and writes without touching anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgtend.cli import screen
from pgtend.cli.findings import exit_status, fine, not_seen, note, problems
from pgtend.cli.main import _confess
from pgtend.cli.proposal import propose, say_age, slug
from pgtend.cli.runs import from_audit
from pgtend.cli.survey import LargeTable, Portrait, Survey, time_column
from pgtend.fleet.load import load_fleet
from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured, Outage, PgtendError, Problem, Refusal
from pgtend.kernel.sizes import Bytes
from pgtend.ledger.model import AuditEntry

_YEAR = timedelta(days=365)
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
VISITS = Portrait(name="clinic.visits", rows=900, size=Bytes(65536), time_column="created_at", age=timedelta(days=900))


def survey(**different: object) -> Survey:
    """Describe a small clinic's database."""
    facts: dict[str, object] = {
        "database": "Clinic",
        "server": "15.18",
        "role": "pgtend",
        "is_standby": False,
        "connection_limit": 100,
        "size": Bytes(10_000_000),
        "tables": 1,
        "largest": (VISITS,),
        "missing_rights": (),
        "due": 1,
    }
    return Survey(**{**facts, **different})  # type: ignore[arg-type]


@pytest.mark.parametrize("connection", ["clinic", "host=/run/postgresql dbname=clinic", "service: #weird\t'\"\\"])
def test_the_first_fleet_file_is_one_that_can_be_read(connection: str, tmp_path: Path) -> None:
    """Whatever the connection holds, it comes back as it was."""
    path = tmp_path / "fleet.yaml"
    path.write_text(propose(survey(), connection=connection, name="clinic", at=AT), encoding="utf-8")
    database = load_fleet(path).databases["clinic"]
    assert database.connection == connection
    assert database.limits.sessions == 4


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\x1b"])
def test_no_name_in_a_database_becomes_a_rule_of_the_fleet(end: str, tmp_path: Path) -> None:
    """Who may make a table there must not add a recipient to whom all backups are sealed."""
    rule = f"x{end}left_alone: [everything]{end}# "
    facts = survey(
        database=rule, role=rule, largest=(Portrait(name=rule, rows=1, size=Bytes(1), time_column=rule, age=_YEAR),)
    )
    path = tmp_path / "fleet.yaml"
    path.write_text(propose(facts, connection="clinic", name="clinic", at=AT), encoding="utf-8")
    assert load_fleet(path).left_alone == ()


def test_few_connections_mean_few_sessions() -> None:
    """Maintenance takes a tenth at most, and one at least."""
    text = propose(survey(connection_limit=20), connection="clinic", name="clinic", at=AT)
    assert "sessions: 2\n" in text
    assert "sessions: 1\n" in propose(survey(connection_limit=3), connection="clinic", name="clinic", at=AT)


def test_the_file_tells_ages_and_never_moments() -> None:
    """How old a table is may be told; a value from a row may not."""
    text = propose(survey(), connection="clinic", name="clinic", at=AT)
    assert "clinic.visits: 64.0 kB, about 900 rows, created_at reaches back 2.5 years" in text
    assert (say_age(timedelta(days=90)), say_age(timedelta(days=9))) == ("3 months", "9 days")


@pytest.mark.parametrize(
    ("text", "expected"), [("Clinic", "clinic"), ("Größe 7", "gr_e_7"), ("7up", "db_7up"), ("", "db"), ("表", "db")]
)
def test_any_name_becomes_one_the_fleet_file_takes(text: str, expected: str) -> None:
    """It becomes part of DAG ids and keys."""
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("columns", "indexed", "expected"),
    [
        (["date_of_birth", "created_at"], [], "created_at"),
        (["date_of_birth"], ["date_of_birth"], ""),
        (["expires_at", "valid_at", "next_due_on"], [], ""),
        (["created_at", "recorded_on"], ["recorded_on"], "recorded_on"),
        (["seen_at", "measured_at"], [], "measured_at"),
        ([], [], ""),
    ],
)
def test_the_age_of_rows_is_never_taken_from_a_birthday(columns: list[str], indexed: list[str], expected: str) -> None:
    """Only columns that say when a row came to be are asked."""
    table = LargeTable("clinic", "visits", 1, 1, columns, indexed)
    assert time_column(table) == expected


def test_the_exit_status_is_that_of_the_worst_problem() -> None:
    """Broken evidence before wrong settings before refusals before outages."""
    found = [fine("a", "b", "c"), note("a", "b", "c", "d"), *not_seen("a", "b")]
    assert exit_status(found) == 0
    for error, status in ((Outage("x"), 75), (Refusal("x"), 77), (Misconfigured("x"), 78), (BrokenEvidence("x"), 65)):
        found.extend(problems("a", "b", error))
        assert exit_status(found) == status
    assert exit_status(problems("a", "b", PgtendError("x"))) == 70


def test_many_problems_are_many_findings() -> None:
    """Each has its own hint to copy."""
    many = ManyProblems("x", (Problem("t1", "no right", "GRANT 1;"), Problem("t2", "no right", "GRANT 2;")))
    assert [finding.hint for finding in problems("a", "rights", many)] == ["GRANT 1;", "GRANT 2;"]


def test_runs_are_read_from_an_audit_alone() -> None:
    """The folder ledger keeps them nowhere else."""
    later = AT + timedelta(seconds=3)
    entries = [
        entry(1, AT, "run.started", '{"run_id": "r1"}'),
        entry(2, later, "run.failed", '{"run_id": "r1", "error_code": "postgres.locked_out"}'),
        entry(3, later, "ledger.migrated", '{"name": "x"}'),
        entry(4, later, "run.started", '{"run_id": "r2"}'),
    ]
    assert [(run.run_id, run.outcome, run.took, run.error_code) for run in from_audit(entries)] == [
        ("r1", "failed", timedelta(seconds=3), "postgres.locked_out"),
        ("r2", "running", None, ""),
    ]


def entry(seq: int, at: datetime, action: str, detail: str) -> AuditEntry:
    """Write one entry of an audit."""
    return AuditEntry(seq, at, "me", "me (shell)", action, "clinic/analyze", detail, b"", b"")


def test_a_defect_of_ours_is_confessed_without_showing_what_it_held(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback goes into a file that only its owner may read."""
    try:
        {}["patient 4711"]
    except KeyError:
        status = _confess()
    said = capsys.readouterr().err
    path = Path(next(word for word in said.split() if word.endswith(".traceback,")).rstrip(","))
    try:
        assert status == 70
        assert "4711" not in said
        assert "patient 4711" in path.read_text(encoding="utf-8")
        assert path.stat().st_mode & 0o077 == 0
    finally:
        path.unlink()


def test_what_was_added_to_an_error_with_many_problems_is_said_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The problems are listed one by one; what else somebody must know before trying again stands below them."""
    error = ManyProblems("the server lacks something", (Problem("role x", "it may not", "ALTER ROLE x;"),))
    screen.show_error(error)
    assert "DETAIL" not in capsys.readouterr().err
    error.detail = f"{error.detail}\nAsk for it by its name.".strip()
    screen.show_error(error)
    said = capsys.readouterr().err
    assert ("DETAIL Ask for it by its name." in said, said.count("it may not")) == (True, 1)
