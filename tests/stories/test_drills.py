"""A drill of a sound backup: everything is restored, compared, recorded and wiped, and the backup is proven."""

from __future__ import annotations

import pytest

from bed.clusters import asked
from bed.drilling import Ground, found
from bed.extremes import made_with
from bed.restoring import Stage
from pgtend.backup.states import BackupState
from pgtend.drill.evidence import last_answers, past_drills
from pgtend.drill.model import ALWAYS, AT_TIMES, CheckName, CheckOutcome, DrillOutcome, Rule, Verdict
from pgtend.drill.stages import Stage as DrillStage
from pgtend.postgres.sandbox import IsolationLevel
from pgtend.postgres.session import Session


def test_a_sound_backup_is_proven(sound: Ground) -> None:
    """Every check passes, on every supported version, and the vault itself says PROVEN afterwards."""
    used: list[tuple[str, Verdict]] = []

    def use(session: Session, outcome: DrillOutcome) -> None:
        used.append((session.row(asked("SELECT count(*)::text AS word FROM public.visit")).word, outcome.verdict))

    sound.on_copy = (use,)
    outcome = sound.drill(extras=AT_TIMES)
    assert (outcome.verdict, sound.error) == (Verdict.PASS, None)
    assert {check.name for check in outcome.checks} == ALWAYS | AT_TIMES
    assert [check for check in outcome.checks if check.outcome is not CheckOutcome.PASSED] == []
    assert outcome.isolation.level is IsolationLevel.NAMESPACES
    assert [canary.was_reached for canary in outcome.isolation.canaries] == [False] * 4
    assert found(outcome, CheckName.ROWS).found == "1,200 rows"
    assert found(outcome, CheckName.NEGATIVE_CONTROL).found == "3 found"
    assert outcome.wipe.is_gone
    assert used == [("900", Verdict.PASS)]
    assert sound.stage.catalogue().entries[0].state is BackupState.PROVEN
    assert [stage.stage for stage in outcome.stages] == list(DrillStage)
    assert outcome.rto.measured is not None
    assert not outcome.rto.is_missed
    _is_remembered(sound)


@pytest.mark.pg(">= 18")
def test_a_copy_sorts_by_the_rules_of_its_own(stage: Stage) -> None:
    """Also on its second trip: rules can be given only when a database is made, and its indexes depend on them."""
    told: list[str] = []
    ours = "FROM pg_database WHERE starts_with(datname, 'drill')"
    rules = f"SELECT coalesce(string_agg(daticurules, ' '), 'none') AS word {ours}"

    def look(session: Session, _outcome: DrillOutcome) -> None:
        told.append(session.row(asked(rules)).word)

    with made_with(stage.server, "LOCALE_PROVIDER icu ICU_LOCALE 'en' ICU_RULES '&a < g' LOCALE 'C'") as live:
        live.run(
            "CREATE TABLE public.word (word text PRIMARY KEY)", "INSERT INTO public.word VALUES ('b'), ('g'), ('a')"
        )
        stage.take(live.name)
        ground = Ground(stage=stage, app="", on_copy=(look,), rules={"smoke": []})
        outcome = ground.drill(extras=frozenset({CheckName.SECOND_GENERATION}))
    assert (outcome.verdict, told) == (Verdict.PASS_PARTIAL, ["&a < g &a < g"])


def _is_remembered(sound: Ground) -> None:
    past = past_drills(sound.ledger, "subject")
    assert [(drill.rule, drill.proved, drill.checks) for drill in past] == [(Rule.NEWEST, True, ALWAYS | AT_TIMES)]
    answers = last_answers(sound.ledger, "subject")
    assert answers == {
        "all visits": 900,
        "patients are few": 300,
        "about as many visits as before": 900,
        "a patient sees one patient": 1,
    }
    evidence = "".join(path.read_text() for path in (sound.ledger.path / "evidence").glob("*.jsonl"))
    assert '"index_name": "patient_ward"' in evidence
    assert "note 7" not in evidence


@pytest.mark.pg(">= 18")
def test_a_drill_that_asks_the_application_nothing_is_partial_and_pays_its_debt(sound: Ground) -> None:
    """Without a smoke query nobody knows whether the application would work; the next rule is due all the same."""
    sound.rules["smoke"] = []
    first, second = sound.drill(None), sound.drill(None)
    assert first.verdict is Verdict.PASS_PARTIAL
    assert [check.name for check in first.skipped] == [CheckName.SMOKE]
    assert first.state is BackupState.PROVEN
    assert "Not due this time: second generation, negative control." in first.not_checked
    assert [one.selection.rule for one in (first, second)] == [Rule.NEWEST, Rule.RANDOM]
