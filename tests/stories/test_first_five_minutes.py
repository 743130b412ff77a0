"""From an empty home to fresh statistics and an audit that holds, by the real command, without Airflow."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed.backups import tools_on_path
from bed.clusters import LiveDatabase, statement
from bed.ledgers import ask
from bed.shell import Shell
from pgtend.fleet.load import load_fleet
from pgtend.postgres.address import Address

FLEET = """\
fleet: clinic
environment: test
databases:
  clinic:
    limits:
      lock_timeout: 300 ms
"""


@pytest.fixture
def shell(database: LiveDatabase, tmp_path: Path) -> Shell:
    """Give a home that knows the clinic's database as its owner, and two tables nobody ever analyzed."""
    database.run(
        "CREATE SCHEMA clinic",
        "CREATE TABLE clinic.visits (id int, created_at timestamptz) WITH (autovacuum_enabled = off)",
        "INSERT INTO clinic.visits SELECT x, now() - x * interval '1 day' FROM generate_series(1, 900) AS x",
        "CREATE INDEX ON clinic.visits (created_at)",
        "CREATE TABLE clinic.wards (id int) WITH (autovacuum_enabled = off)",
        "INSERT INTO clinic.wards SELECT generate_series(1, 100)",
        address=database.owner,
    )
    made = Shell(tmp_path)
    made.know("clinic", database.owner)
    return made


@pytest.mark.pg(">= 18")
def test_whoever_cannot_take_a_backup_hears_it_before_the_night(
    shell: Shell, database: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights to ANALYZE are not enough: what a backup lacks is named with its GRANT, and each vault is tried."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", tools_on_path(18))
    shell.know("keeper", database.new_role("keeper"))
    shell.write_fleet(
        "fleet: clinic\nvaults: {main: {folder: {path: main}}, far: {folder: {path: far}}}\n"
        "databases: {kgc: {connection: keeper, backup: {copies: {far: {}}}}}\n"
    )
    (shell.home / "main").mkdir()
    doctor = shell.pgtend("doctor", "kgc", "--json")
    found = [(one["about"], one["what"], one["said"]) for one in json.loads(doctor.out) if one["state"] == "problem"]
    assert doctor.status == 78
    assert ("kgc", "backup", "2 tables in clinic: the role may read none of them") in found
    assert [about for about, _, said in found if "[vault.folder_missing]" in said] == ["vault far"]


@pytest.mark.pg(">= 15")
def test_what_health_could_not_see_is_said_with_its_grant(shell: Shell, database: LiveDatabase) -> None:
    """A dozen numbers would stay unknown for ever, and the doctor would have said that all is well."""
    shell.write_fleet(FLEET)
    found = {one["what"]: one for one in json.loads(shell.pgtend("doctor", "clinic", "--json").out)}
    grant = f"GRANT pg_monitor TO {database.owner.user};"
    assert (found["health"]["state"], found["health"]["hint"]) == ("note", grant)
    database.run(grant)
    found = {one["what"]: one for one in json.loads(shell.pgtend("doctor", "clinic", "--json").out)}
    assert found["health"]["state"] == "ok"


def test_from_nothing_to_fresh_statistics(shell: Shell) -> None:
    """Init, doctor, plan, analyze, runs: each says what to do next, and each works."""
    first = shell.pgtend("init", "clinic", "--name", "kgc")
    assert first.status == 0
    assert "reaches back" in first.out
    assert re.search(r"clinic\.visits +900 .* 2\.5 years +created_at", first.out)
    assert load_fleet(shell.home / "fleet.yaml").databases["kgc"].connection == "clinic"
    doctor = shell.pgtend("doctor", "kgc")
    assert doctor.status == 0, doctor.said
    assert "All is well" in doctor.out
    assert "none can be taken yet: nobody is named for whom backups are sealed" in " ".join(doctor.out.split())
    assert ("0 recipients" in doctor.out, "Worth a look: " in doctor.out) == (False, True)
    plan = shell.pgtend("plan", "analyze", "kgc")
    assert plan.status == 0
    assert "2 of 2 tables need ANALYZE" in plan.out
    done = shell.pgtend("analyze", "kgc", "--yes")
    assert done.status == 0, done.said
    assert "2 proved" in done.out
    assert "0 of 2 tables need ANALYZE" in shell.pgtend("plan", "analyze", "kgc").out
    [run] = json.loads(shell.pgtend("runs", "kgc", "--json").out)
    assert (run["database"], run["pipeline"], run["outcome"]) == ("kgc", "analyze", "succeeded")
    verified = " ".join(shell.pgtend("audit", "verify").out.split())
    assert "Verified 2 entries: each follows from the one before. No anchor lies in the vaults" in verified


@pytest.mark.pg(">= 18")
def test_an_anchor_is_seen_in_the_vault_and_believed_ever_after(shell: Shell) -> None:
    """What is anchored today must still be in the chain tomorrow; cutting the chain off shows."""
    shell.pgtend("init", "clinic", "--name", "kgc")
    assert shell.pgtend("analyze", "kgc", "--yes").status == 0
    assert "verified 2 entries against 0 anchors" in shell.pgtend("audit", "anchor").out
    fleet = load_fleet(shell.home / "fleet.yaml").fleet
    listed = json.loads(shell.pgtend("vault", "list", "audit", "--json").out)
    assert [found["key"] for found in listed["objects"]] == [f"audit/anchors/{fleet}/000000000002.json"]
    assert "against 1 anchor in the vaults: all hold" in shell.pgtend("audit", "verify").out
    [journal] = (shell.home / ".local/share/pgtend/ledger" / fleet).glob("*.jsonl")
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text(lines[0], encoding="utf-8")
    cut = shell.pgtend("audit", "verify")
    assert cut.status == 65
    assert "audit-chain-broken.md" in cut.err


@pytest.mark.pg(">= 18")
def test_a_vault_nobody_knows_is_refused_with_the_nearest_name(shell: Shell) -> None:
    """A typing error lists nothing, rather than an empty vault."""
    shell.pgtend("init", "clinic", "--name", "kgc")
    answer = shell.pgtend("vault", "list", "--vault", "mian")
    assert answer.status == 78
    assert "[cli.unknown_vault]" in answer.err
    assert "'main'" in answer.err


@pytest.mark.pg(">= 18")
def test_init_never_overwrites_a_file(shell: Shell) -> None:
    """Somebody's rules are in it."""
    shell.write_fleet("precious")
    answer = shell.pgtend("init", "clinic")
    assert answer.status == 77
    assert "[cli.file_exists]" in answer.err
    assert (shell.home / "fleet.yaml").read_text(encoding="utf-8") == "precious"


@pytest.mark.pg(">= 18")
def test_a_password_on_the_command_line_is_refused(shell: Shell) -> None:
    """It would be in the history of the shell and in the list of processes."""
    answer = shell.pgtend("init", "host=localhost password=hunter2 dbname=x")
    assert answer.status == 78
    assert "hunter2" not in answer.said
    assert ".pgpass" in answer.err


@pytest.mark.pg(">= 18")
def test_every_mistake_in_the_fleet_file_is_listed(shell: Shell) -> None:
    """One run, one list."""
    shell.write_fleet(FLEET + "    windw: {}\n    owner: 5\n")
    answer = shell.pgtend("fleet", "check")
    assert answer.status == 78
    assert "windw" in answer.err
    assert "databases.clinic.owner" in answer.err


@pytest.mark.pg(">= 18")
def test_a_database_that_is_down_is_an_outage(shell: Shell, database: LiveDatabase) -> None:
    """The scheduler may try again; a person is told where to look."""
    shell.know("gone", database.owner.to(port="1"))
    shell.write_fleet(FLEET.replace("    limits:", "    connection: gone\n    limits:"))
    answer = shell.pgtend("analyze", "clinic")
    assert answer.status == 75
    assert "HINT" in answer.err
    assert "database-unreachable" in answer.err.replace("\n", "")
    doctor = json.loads(shell.pgtend("doctor", "--json").out)
    states = {(finding["about"], finding["what"]): finding["state"] for finding in doctor}
    assert states["clinic", "connection"] == "problem"
    assert states["clinic", "rights"] == "not seen"


@pytest.mark.pg(">= 18")
def test_a_wrong_password_is_no_outage(shell: Shell, database: LiveDatabase) -> None:
    """Trying again would only lock the account."""
    (shell.home / ".pgpass").unlink()
    shell.know("wrong", database.owner, password="not-the-password")
    shell.write_fleet(FLEET.replace("    limits:", "    connection: wrong\n    limits:"))
    answer = shell.pgtend("analyze", "clinic")
    assert answer.status == 78
    assert "[postgres.password_refused]" in answer.err


def test_doctor_prints_the_grants_that_help(shell: Shell, database: LiveDatabase) -> None:
    """Copied and run, they make the next examination good."""
    tender: Address = database.new_role("tender")
    shell.know("tender", tender)
    archive = "    archive: {tables: {clinic.visits: {by: created_at}}}"
    shell.write_fleet(FLEET.replace("    limits:", f"    connection: tender\n{archive}\n    limits:"))
    refused = shell.pgtend("analyze", "clinic")
    assert refused.status == 78
    sick = shell.pgtend("doctor", "--json", "clinic")
    assert sick.status == 78
    grants = [finding["hint"] for finding in json.loads(sick.out) if finding["what"] == "rights"]
    assert grants
    assert all(grant in refused.err for grant in grants)
    to_archive = {finding["hint"] for finding in json.loads(sick.out) if finding["what"] == "archive"}
    owner = database.owner.user
    assert to_archive == {
        f"GRANT {owner} TO {tender.user};",
        f"GRANT CREATE ON SCHEMA clinic TO {tender.user};",
        f"GRANT CREATE ON DATABASE {database.name} TO {tender.user};",
    }
    database.run(*grants, *to_archive)
    try:
        assert shell.pgtend("doctor", "clinic").status == 0
        assert shell.pgtend("analyze", "clinic").status == 0
    finally:
        database.run(f"DROP OWNED BY {tender.user} CASCADE")


def test_a_locked_table_names_who_locks_it(shell: Shell, database: LiveDatabase) -> None:
    """The other table is analyzed, and the run is an outage."""
    shell.write_fleet(FLEET)
    with database.session(application="billing nightly") as blocker, blocker.transaction():
        blocker.run(statement("LOCK TABLE clinic.visits IN ACCESS EXCLUSIVE MODE"))
        answer = shell.pgtend("analyze", "clinic")
    assert answer.status == 75
    assert "billing nightly" in answer.err
    assert "clinic.wards proved" in answer.err


@pytest.mark.pg(">= 18")
def test_nothing_is_done_while_the_ledger_is_down(shell: Shell, database: LiveDatabase) -> None:
    """What cannot be written down is not done."""
    shell.know("reporting", database.owner.to(port="1"))
    shell.write_fleet(FLEET.replace("databases:", "ledger: {connection: reporting}\ndatabases:"))
    answer = shell.pgtend("analyze", "clinic")
    assert answer.status == 75
    assert "[ledger.unreachable]" in answer.err
    with database.session() as session:
        assert ask(session, "SELECT max(pg_stat_get_analyze_count(oid)) FROM pg_class WHERE relname = 'visits'") == [0]


@pytest.mark.pg("< 18")
@pytest.mark.pg(">= 18")
def test_a_ledger_in_a_database_is_migrated_by_one_command(shell: Shell, database: LiveDatabase) -> None:
    """Doctor says what it lacks, `pgtend ledger migrate` does it, and the runs are shown from it."""
    shell.know("reporting", database.superuser)
    rules = FLEET + "    analyze: {skip: ['reporting.*']}\n"
    shell.write_fleet(rules.replace("databases:", "ledger: {connection: reporting}\ndatabases:"))
    assert "pgtend ledger migrate" in shell.pgtend("doctor").out
    assert "up to date" in shell.pgtend("ledger", "migrate").out
    assert shell.pgtend("analyze", "clinic").status == 0
    assert "succeeded" in shell.pgtend("runs", "clinic").out


@pytest.mark.pg(">= 18")
def test_doctor_finds_a_vault_that_refuses(shell: Shell) -> None:
    """A folder that is not there may be a disk that is not mounted, and is not made."""
    shell.write_fleet(FLEET.replace("databases:", "vaults: {main: {folder: {path: /nowhere/vault}}}\ndatabases:"))
    answer = shell.pgtend("doctor")
    assert answer.status in {75, 78}
    assert "/nowhere/vault" in answer.out
    assert "problem  write and read" in answer.out


@contextmanager
def listening_to(number: signal.Signals) -> Generator[None]:
    """Start a command as from a terminal: whoever starts the tests by nohup has it ignored, and that is inherited."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.pg(">= 18")
def test_a_terminated_command_leaves_no_session(shell: Shell, database: LiveDatabase, end: signal.Signals) -> None:
    """Also where a terminal is gone: no statement is left in the server, and the ledger says interrupted."""
    shell.write_fleet(FLEET)
    database.run(
        "CREATE FUNCTION clinic.slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " $$ BEGIN IF current_setting('application_name') LIKE 'pgtend:analyze:%%' THEN PERFORM pg_sleep(1); END IF;"
        " RETURN $1; END $$",
        "CREATE INDEX ON clinic.wards (clinic.slow(id))",
    )
    with listening_to(end):
        running = shell.start("analyze", "clinic")
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtend:analyze:%'"
    working = f"{ours} AND query LIKE '%ANALYZE%wards%'"
    with database.session() as session:
        deadline = time.monotonic() + 60
        while ask(session, working) == [0]:
            assert time.monotonic() < deadline, "ANALYZE never began"
            time.sleep(0.1)
        running.send_signal(end)
        assert shell.finish(running).status == 128 + end
        assert ask(session, ours) == [0]
    [run] = json.loads(shell.pgtend("runs", "--json").out)
    assert run["outcome"] == "interrupted"


@pytest.mark.pg(">= 18")
def test_a_table_may_be_called_what_a_terminal_takes_for_a_colour(shell: Shell, database: LiveDatabase) -> None:
    """Who looks at what is there sees its name, and no defect."""
    database.run(
        'CREATE TABLE clinic."[/red]x" (id int PRIMARY KEY) WITH (autovacuum_enabled = off)',
        'INSERT INTO clinic."[/red]x" SELECT generate_series(1, 500)',
        address=database.owner,
    )
    shell.write_fleet(FLEET)
    for words in (("init", "clinic", "--output", "other.yaml"), ("plan", "analyze", "clinic", "--all")):
        answer = shell.pgtend(*words)
        assert (answer.status, "clinic.[/red]x" in answer.out) == (0, True), answer.said


@pytest.mark.pg(">= 18")
def test_a_first_file_that_cannot_be_written_is_no_defect(shell: Shell) -> None:
    """A folder that is not there, and a link that leads nowhere."""
    (shell.home / "link.yaml").symlink_to(shell.home / "nowhere" / "fleet.yaml")
    for path in ("nowhere/fleet.yaml", "link.yaml"):
        answer = shell.pgtend("init", "clinic", "--output", path)
        assert (answer.status, "[cli.not_written]" in answer.err) == (78, True)


@pytest.mark.pg(">= 18")
def test_a_closed_window_is_a_refusal_that_says_how_to_insist(shell: Shell) -> None:
    """A script has to say --yes; nobody is there to be asked."""
    now = time.gmtime()
    closed = f"{{start: '{(now.tm_hour + 2) % 24:02}:00', end: '{(now.tm_hour + 3) % 24:02}:00'}}"
    shell.write_fleet(FLEET + f"    window: {closed}\n")
    answer = shell.pgtend("analyze", "clinic")
    assert answer.status == 77
    assert "--yes" in answer.err
    assert shell.pgtend("analyze", "clinic", "--yes").status == 0


@pytest.mark.pg(">= 18")
def test_an_unknown_verb_is_a_wrong_call() -> None:
    """Exit status 2, as everywhere."""
    answer = Shell(Path.home()).pgtend("anlyze")
    assert answer.status == 2
