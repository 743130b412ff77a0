"""The pipeline `analyze` from end to end inside Airflow, against a real server, a real ledger and real channels."""

from __future__ import annotations

import pytest

from bed.airflow_world import CANARY_ROW, World
from bed.ledgers import ask
from pgtend_airflow.web.problems import BadRequest
from pgtend_airflow.web.runs import start_run


def test_a_run_renews_statistics_and_leaves_evidence(world: World) -> None:
    """The table that had no statistics has some, and the ledger holds the proof."""
    run = world.run("kgc.analyze")
    assert run.state == "success", world.log()
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT outcome FROM reporting.runs") == ["succeeded"]
        assert ask(ledger, "SELECT outcome FROM reporting.analyses") == ["proved"]
    assert world.messages() == []
    assert CANARY_ROW not in world.log()


def test_a_field_that_the_form_does_not_have_is_refused(world: World) -> None:
    """Airflow takes any: whoever misspells the wish to only look must not find that it was done."""
    assert world.run("kgc.analyze", {"dryrun": True}).state == "failed"
    assert "the form of this pipeline has no field 'dryrun' [airflow.no_such_field]" in world.mail.texts()[0]
    assert "Did you mean 'dry_run'?" in world.mail.texts()[0]
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT outcome FROM reporting.runs") == []


@pytest.mark.parametrize("field", ["dryrun", "drill\0"])
def test_a_page_starts_nothing_with_a_field_that_the_form_does_not_have(world: World, field: str) -> None:
    """It is told at once, and not by a run that fails, or that Airflow's database does not take."""
    assert world.run("kgc.analyze").state == "success"
    with pytest.raises(BadRequest, match="the form of this pipeline has no field"):
        start_run("kgc.analyze", {"dry_run": True, field: "\0"}, "ada")
    assert start_run("kgc.analyze", {"dry_run": True}, "ada").run_id
