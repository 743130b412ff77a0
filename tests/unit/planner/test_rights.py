"""The exact GRANT for each right that is missing."""

from __future__ import annotations

from dataclasses import replace

from bed.planning import table_facts
from pgtend.planner.facts import OwnRights
from pgtend.planner.model import TableReading
from pgtend.planner.rights import missing_rights

BLIND = OwnRights(role="pgtend", sql_role="pgtend", may_read_columns=False, may_read_extended=False)


def reading(number: int = 0, **different: object) -> TableReading:
    """Describe a table that our role may not analyze."""
    name = f"t{number}"
    return TableReading(facts=table_facts(name=name, sql_name=f"public.{name}", may_analyze=False, **different))


def grants(tables: list[TableReading], major: int) -> list[str]:
    """List the statements that would help."""
    return [problem.hint for problem in missing_rights(tables, BLIND, major)]


def test_nothing_is_asked_for_when_nothing_is_missing() -> None:
    """Silence is the good case."""
    assert missing_rights([TableReading(facts=table_facts())], BLIND, 15) == ()


def test_until_16_only_membership_in_the_owner_helps() -> None:
    """MAINTAIN did not exist, so one GRANT for each owner is named, whatever the number of tables."""
    tables = [reading(n, owner=o, sql_owner=o) for n in range(5) for o in ("billing", "clinic")]
    assert grants(tables, 15) == ["GRANT billing TO pgtend;", "GRANT clinic TO pgtend;"]


def test_on_16_membership_is_given_without_the_right_to_become_the_owner() -> None:
    """Inherited rights are enough; SET ROLE would be more than we need."""
    assert grants([reading()], 16) == ["GRANT clinic_owner TO pgtend WITH INHERIT TRUE, SET FALSE;"]


def test_from_17_on_maintain_is_given_table_by_table_or_for_all() -> None:
    """A few tables are named; for many there is a role."""
    assert grants([reading(1), reading(2)], 17) == [
        "GRANT MAINTAIN ON TABLE public.t1 TO pgtend;",
        "GRANT MAINTAIN ON TABLE public.t2 TO pgtend;",
    ]
    assert grants([reading(n) for n in range(4)], 18) == ["GRANT pg_maintain TO pgtend;"]


def test_membership_in_a_superuser_is_never_proposed() -> None:
    """That would be every right there is."""
    problems = missing_rights([reading(owner="postgres", sql_owner="postgres", owner_is_superuser=True)], BLIND, 15)
    assert [problem.hint for problem in problems] == [
        "ALTER TABLE public.t0 OWNER TO <a role that is no superuser>; or name it under analyze.skip"
    ]


def test_schemas_and_statistics_are_asked_for_too() -> None:
    """Everything that is missing is said at once, and of the statistics only the keys are asked for."""
    facts = table_facts(may_use_schema=False, may_alter=False, sql_schema='"Ward 7"')
    assert grants([TableReading(facts=facts, statistics_visible=False)], 17) == [
        'GRANT USAGE ON SCHEMA "Ward 7" TO pgtend;',
        "GRANT SELECT (starelid, staattnum, stainherit) ON pg_catalog.pg_statistic TO pgtend;",
        "GRANT SELECT (stxoid) ON pg_catalog.pg_statistic_ext_data TO pgtend;",
    ]


def test_membership_in_the_owner_shows_the_statistics_too_unless_policies_are_forced() -> None:
    """Nobody is asked for two rights where one is enough."""
    table = reading(may_alter=False)
    forced = reading(may_alter=False, hides_rows_from_owner=True)
    assert len(grants([replace(table, statistics_visible=False)], 15)) == 1
    assert len(grants([replace(forced, statistics_visible=False)], 15)) == 3


def test_a_statistics_target_needs_the_owner_even_on_18() -> None:
    """MAINTAIN does not cover ALTER TABLE."""
    table = TableReading(facts=table_facts(may_alter=False), wanted_targets={"user_id": 500})
    assert grants([table], 18) == ["GRANT clinic_owner TO pgtend WITH INHERIT TRUE, SET FALSE;"]
