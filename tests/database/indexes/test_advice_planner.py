"""What the planner itself is asked about indexes that are not there: with values it knows, and with HypoPG."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.clusters import asked
from bed.indexing import Templates, Ward
from pgtend.indexes.advice_model import Candidate, Kind, Statement, Status
from pgtend.indexes.advice_planner import Planner
from pgtend.indexes.advice_sources import find_candidates, read_tables
from pgtend.indexes.advise import judge_all
from pgtend.postgres.throwaway import ThrowawayServer

HYPOPG = "CREATE EXTENSION hypopg SCHEMA public"
RECENT = "SELECT id FROM clinic.stays WHERE at > now() - interval $1 AND room = $2"
CLOSED = "SELECT note FROM clinic.stays WHERE closed = $1"
BY_PATIENT = "SELECT note FROM clinic.stays WHERE patient = $1"
BY_FACT = "SELECT id FROM clinic.stays WHERE facts @> $1"


def costly(text: str) -> Statement:
    """Say that a statement cost something."""
    return Statement(text=text, role="", calls=1000, exec_ms=5000.0)


@pytest.fixture
def stays(templates: Templates, server: ThrowawayServer, tmp_path: Path) -> Generator[Ward]:
    """Give a database with some indexes too few and some too many."""
    with templates.copy(server, "stays") as live:
        yield Ward(live, tmp_path / "ledger", live.owner)


def missing(ward: Ward, planner: Planner, *texts: str) -> list[Candidate]:
    """Find candidates for new indexes that these statements ask for."""
    found = find_candidates(planner.session, [costly(text) for text in texts], ward.ledger, ward.database)
    return [one for one in found if one.kind is Kind.MISSING]


def test_a_statement_is_planned_for_values_that_occur_too(stays: Ward) -> None:
    """The first plan is for any values; the others are for some the statistics know, none of which is kept."""
    with stays.session() as session:
        planner = Planner(session, read_tables(session))
        plans = planner.plans(costly(RECENT))
        values = [row.word for row in session.rows(asked("SELECT room::text AS word FROM clinic.stays LIMIT 20"))]
    assert len(plans) > 1
    assert "$2" in json.dumps(plans[0].tree)
    conditions = " ".join(json.dumps(plan.tree).split("Filter")[-1] for plan in plans[1:])
    assert "room = " in conditions
    assert not any(f"room = {value})" in conditions for value in values)


@pytest.mark.pg(">= 18")
def test_what_cannot_be_planned_has_no_plan(stays: Ward) -> None:
    """It is left out, and nothing fails."""
    with stays.session() as session:
        planner = Planner(session, read_tables(session))
        assert planner.plans(costly("VACUUM clinic.stays")) == []
        assert planner.plans(costly("SELECT x FROM clinic.gone WHERE id = $1")) == []


@pytest.mark.pg("< 18")
def test_an_index_the_planner_does_not_believe_in_is_refuted_without_a_copy(stays: Ward) -> None:
    """Nearly all stays are closed, so an index on that helps nobody; one on the patient does."""
    stays.live.run(HYPOPG)
    with stays.session() as session:
        planner = Planner(session, read_tables(session))
        candidates = missing(stays, planner, CLOSED, BY_PATIENT)
        expected = planner.expected_gains(candidates)
        invented = session.rows(asked("SELECT indexrelid::text AS word FROM public.hypopg()"))
    advices = {one.candidate.shape: one for one in judge_all(stays.database, candidates, {}, expected)}
    patient = advices["USING btree (patient)"]
    closed = advices["USING btree (closed)"]
    assert patient.status is Status.CANDIDATE
    assert "the planner expects 9" in patient.why
    assert closed.status is Status.REFUTED
    assert "the planner expects no more than" in closed.why
    assert invented == []


@pytest.mark.pg("< 18")
def test_what_cannot_be_pretended_waits_for_a_copy(stays: Ward) -> None:
    """HypoPG knows no inverted indexes, so nothing is said about one."""
    stays.live.run(HYPOPG)
    with stays.session() as session:
        planner = Planner(session, read_tables(session))
        candidates = missing(stays, planner, BY_FACT)
        assert [one.shape for one in candidates] == ["USING gin (facts jsonb_path_ops)"]
        assert planner.expected_gains(candidates) == {}
    assert judge_all(stays.database, candidates, {}, {})[0].status is Status.CANDIDATE


def test_without_the_extension_nothing_is_expected(stays: Ward) -> None:
    """It is never installed by us: whoever wants it judged before a copy installs it."""
    with stays.session() as session:
        planner = Planner(session, read_tables(session))
        assert planner.expected_gains(missing(stays, planner, BY_PATIENT)) == {}
