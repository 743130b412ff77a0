"""A drill lends its copy to the care of indexes: advice is proved there, and every index is read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from bed.clusters import new_database
from bed.drilling import Ground, furnish
from bed.indexing import STAYS
from bed.ledgers import ask, new_ledger
from bed.restoring import Stage
from pgtend.drill.lending import index_work, is_fit
from pgtend.drill.model import DrillOutcome, Verdict
from pgtend.fleet.indexes import IndexRules
from pgtend.indexes.advice_model import Kind, Status
from pgtend.indexes.advise import AdviceReport, Inquiry, advise_on_indexes
from pgtend.indexes.job import Order, rebuild_bloated_indexes
from pgtend.indexes.model import Method, Reason
from pgtend.indexes.report import Outcome, Rebuilt
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.sandbox import IsolationLevel
from pgtend.postgres.session import Session

# An index on an expression that gives another value each time: no query finds its row by it.
LYING = (
    "CREATE FUNCTION clinic.luck(int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN random(); END'",
    "CREATE INDEX rooms_luck ON clinic.rooms (clinic.luck(id))",
)
# Numbers in an inverted index, on pages from which two of three rows have gone.
LOOSE = (
    "CREATE TABLE clinic.visits (id int, marks int[]) WITH (autovacuum_enabled = off)",
    "CREATE INDEX visits_marks ON clinic.visits USING gin (marks) WITH (fastupdate = off)",
    """INSERT INTO clinic.visits
        SELECT n, ARRAY(SELECT mod(n * 7919 + m * 104729, 2000) FROM generate_series(1, 20) AS m)
        FROM generate_series(1, 9000) AS n""",
    "DELETE FROM clinic.visits WHERE mod(id, 3) > 0",
    "VACUUM ANALYZE clinic.visits",
)
DRILL = Subject("subject", "restore_drill", "test")
TRIED = (
    "SELECT a.kind || ': ' || a.status FROM reporting.index_advices AS a JOIN reporting.runs AS r USING (run_id)"
    " WHERE r.pipeline = 'index_proof' AND a.table_name = 'stays' ORDER BY 1"
)
READ = (
    "SELECT index_name || ' ' || verdict FROM reporting.index_checks WHERE table_name IN ('rooms', 'stays')"
    " AND depth = 'structure and every row of a restored copy' ORDER BY 1"
)
RUNS = "SELECT pipeline || ' ' || outcome || ' ' || error_code FROM reporting.runs ORDER BY started_at"


@pytest.fixture
def memory(stage: Stage) -> Generator[Session]:
    """Give a reporting database of its own."""
    with ExitStack() as opened:
        session = opened.enter_context(opened.enter_context(new_ledger(stage.server)).session())
        yield session


@pytest.fixture
def ground(stage: Stage, memory: Session, request: pytest.FixtureRequest) -> Generator[Ground]:
    """Give a ground for drills of a backup, and a ledger that can be asked; `more` is what the database has besides."""
    with new_database(stage.server) as made:
        furnish(made, *request.param)
        stage.take(made.name)
        ground = Ground(stage=stage, app=made.role_name("app"), kept_by=DatabaseLedger(memory))
        yield ground


def advise(ground: Ground, memory: Session) -> AdviceReport:
    """Work out advice on the database itself, without a copy, as the pipeline does."""
    inquiry = Inquiry(address=ground.stage.server.superuser(ground.app.removesuffix("_app")))
    subject = Subject("subject", "index_advice", "test")
    return advise_on_indexes(
        ground.fleet.databases["subject"], inquiry, DatabaseLedger(memory), subject, ground.lines.append
    )


def lend(ground: Ground, memory: Session) -> None:
    """Let the next drill lend its copy, as task and shell do."""
    database = ground.fleet.databases["subject"]
    ground.on_copy = (*index_work(database, ground.vault, DatabaseLedger(memory), DRILL, ground.lines.append),)


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("ground", [("CREATE SCHEMA clinic", *STAYS, *LYING)], indirect=True)
def test_a_drill_proves_what_was_advised_and_reads_every_index(ground: Ground, memory: Session) -> None:
    """What waited for a copy is advised with its files; a damaged index is told, and is no verdict on the backup."""
    assert {advice.status for advice in advise(ground, memory).advices} == {Status.CANDIDATE}
    lend(ground, memory)
    outcome = ground.drill()
    assert (outcome.verdict, ground.error) == (Verdict.PASS, None), ground.lines
    assert outcome.remarks[0].startswith("The copy could not be used for something else: clinic.rooms_luck is damaged")
    assert len(outcome.remarks) == 1
    assert {f"{Kind.FOREIGN_KEY}: advised", f"{Kind.DUPLICATE}: advised"} <= set(ask(memory, TRIED)), ground.lines
    names = (
        "rooms_luck damaged",
        "rooms_pkey",
        "stays_at",
        "stays_at_again",
        "stays_note",
        "stays_note_at",
        "stays_pkey",
    )
    assert ask(memory, READ) == [name if " " in name else f"{name} sound" for name in names]
    assert ask(memory, RUNS) == [
        "index_advice succeeded ",
        "restore_drill succeeded ",
        "index_proof failed indexes.damaged",
        "index_proof succeeded ",
    ]
    _is_shown(ground, memory)


def rebuild(ground: Ground, memory: Session) -> Rebuilt:
    """Rebuild what is bloated where hardly anything of a table may be read, as the pipeline does."""
    rules = {"read_budget": "80 kB", "smallest": "64 kB", "least_gain": "64 kB", "bloat_limit": 1.2}
    database = ground.fleet.databases["subject"].model_copy(update={"indexes": IndexRules.model_validate(rules)})
    address = ground.stage.server.superuser(ground.app.removesuffix("_app"))
    subject = Subject("subject", "reindex", "test")
    order = Order(only=("clinic.visits_marks",), ignore_window=True, pauses=())
    parties = {"subject": address}
    report = rebuild_bloated_indexes(
        database, parties, DatabaseLedger(memory), subject, ground.lines.append, order=order
    )
    return report.results[0]


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("ground", [("CREATE SCHEMA clinic", *LOOSE)], indirect=True)
def test_a_drill_tells_what_an_inverted_index_of_a_large_table_comes_to(ground: Ground, memory: Session) -> None:
    """A run notes how full some pages are, the next drill builds on pages as full, and the next run may rebuild."""
    before = rebuild(ground, memory)
    assert (before.outcome, before.decision.reason) == (Outcome.SKIPPED, Reason.AWAITS_DRILL)
    assert (
        "8 pages of clinic.visits looked at: the next drill builds its inverted indexes on pages as full as these"
        in ground.lines
    )
    lend(ground, memory)
    outcome = ground.drill()
    assert (outcome.verdict, outcome.remarks) == (Verdict.PASS, ()), ground.lines
    after = rebuild(ground, memory)
    assert after.outcome is Outcome.PROVED, ground.lines
    assert after.decision.index.estimate is not None
    assert after.decision.index.estimate.method is Method.DRILL
    assert after.missed_by == pytest.approx(0.0, abs=0.03)


def _is_shown(ground: Ground, memory: Session) -> None:
    """Advice that is asked for later says what the drill proved, and where the SQL lies."""
    report = advise(ground, memory)
    key = next(one for one in report.advices if one.candidate.shape == "USING btree (room)")
    assert key.status is Status.ADVISED
    assert key.proof is not None
    assert key.proof.gain >= 0.3
    up = ground.stage.folder / "vault" / report.delivered[key.candidate.name]
    assert key.candidate.up in up.read_text(encoding="utf-8")
    assert "Measured on a copy" in up.read_text(encoding="utf-8")


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("ground", [()], indirect=True)
def test_a_guest_on_the_copy_can_not_change_the_verdict(ground: Ground, memory: Session) -> None:
    """Whatever breaks there is a remark; where nothing waits for a copy, nothing is tried and no run is opened."""

    def break_down(_session: Session, _outcome: DrillOutcome) -> None:
        raise LookupError("a mistake of a guest")

    lend(ground, memory)
    proving = ground.on_copy[-1:]
    ground.on_copy = (break_down, *proving)
    outcome = ground.drill()
    assert (outcome.verdict, ground.error) == (Verdict.PASS, None), ground.lines
    assert outcome.remarks == ("The copy could not be used for something else: LookupError.",)
    assert outcome.remarks[0] in ground.lines
    assert ask(memory, RUNS) == ["restore_drill succeeded "]
    _is_lent_only_between_walls(outcome)


def _is_lent_only_between_walls(outcome: DrillOutcome) -> None:
    """Where only another account shuts it in, and where it is not the database, nothing of others runs as superuser."""
    assert is_fit(outcome)
    account = replace(outcome.isolation, level=IsolationLevel.ACCOUNT)
    assert not is_fit(replace(outcome, isolation=account))
    assert not is_fit(replace(outcome, checks=()))
