"""Which rule is due, and whose copies are proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pgtend.drill.model import Rule
from pgtend.drill.selection import PastDrill, debts, due_rule, vault_for
from pgtend.fleet.model import Database

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
KGC = Database.model_validate({"name": "kgc", "connection": "kgc", "vault": "main", "backup": {"copies": {}}})
TWICE = Database.model_validate(
    {"name": "kgc", "connection": "kgc", "vault": "main", "backup": {"copies": {"north": {}, "south": {}}}}
)


def drilled(rule: Rule, days_ago: float, *, vault: str = "main", proved: bool = True) -> PastDrill:
    """Tell of a drill."""
    return PastDrill(rule=rule, vault=vault, ended_at=NOW - timedelta(days=days_ago), proved=proved)


def test_what_was_never_drilled_comes_first() -> None:
    """A database without a past is drilled by its newest backup, then by the others in turn."""
    assert due_rule(KGC, [], NOW) is Rule.NEWEST
    assert due_rule(KGC, [drilled(Rule.NEWEST, 7)], NOW) is Rule.RANDOM
    assert Rule.SECOND_VAULT not in {debt.rule for debt in debts(KGC, [], NOW)}


def test_a_drill_that_failed_pays_no_debt() -> None:
    """What it was to prove is not proved."""
    past = [drilled(Rule.NEWEST, 1, proved=False)]
    assert next(debt for debt in debts(KGC, past, NOW) if debt.rule is Rule.NEWEST).last is None


def test_each_second_vault_is_drilled_in_its_turn() -> None:
    """The copies in one vault prove nothing of those in another, which were never opened and counted as proved."""
    assert vault_for(TWICE, Rule.SECOND_VAULT, []) == "north"
    past = [drilled(Rule.SECOND_VAULT, 10, vault="north")]
    assert vault_for(TWICE, Rule.SECOND_VAULT, past) == "south"
    past += [drilled(Rule.SECOND_VAULT, 3, vault="south", proved=False)]
    assert vault_for(TWICE, Rule.SECOND_VAULT, past) == "south"
    past += [drilled(Rule.SECOND_VAULT, 2, vault="south")]
    assert vault_for(TWICE, Rule.SECOND_VAULT, past) == "north"


def test_second_vaults_are_due_until_every_one_was_proved() -> None:
    """The debt is that of the vault which waits longest."""
    past = [drilled(Rule.SECOND_VAULT, 10, vault="north")]
    (owed,) = [debt for debt in debts(TWICE, past, NOW) if debt.rule is Rule.SECOND_VAULT]
    assert (owed.last, owed.is_due) == (None, True)
    past += [drilled(Rule.SECOND_VAULT, 20, vault="south")]
    (owed,) = [debt for debt in debts(TWICE, past, NOW) if debt.rule is Rule.SECOND_VAULT]
    assert (owed.last, owed.is_due) == (NOW - timedelta(days=20), False)


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.SECOND_VAULT])
def test_every_other_rule_drills_the_vault_of_the_database(rule: Rule) -> None:
    """Copies are there in addition."""
    assert vault_for(TWICE, rule, [drilled(rule, 1)]) == "main"
