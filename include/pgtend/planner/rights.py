"""Which rights the work needs and the role lacks, with the exact statement that gives each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pgtend.kernel.errors import Problem
from pgtend.planner.facts import OwnRights, TableFacts
from pgtend.planner.model import TableReading

_MAINTAIN_SINCE = 17
_INHERIT_SINCE = 16
_ONE_BY_ONE = 3


def missing_rights(tables: Iterable[TableReading], rights: OwnRights, major: int) -> tuple[Problem, ...]:
    """List every right that is missing, each once."""
    chosen = list(tables)
    return (
        *_schemas([t.facts for t in chosen if not t.facts.may_use_schema], rights),
        *_analyze([t.facts for t in chosen if not t.facts.may_analyze], rights, major),
        *_targets([t for t in chosen if t.changes and not t.facts.may_alter], rights, major),
        *_statistics([t for t in chosen if not t.statistics_visible and not _soon_visible(t, major)], rights),
    )


def _schemas(tables: Sequence[TableFacts], rights: OwnRights) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            f"schema {schema}",
            f"{rights.role} may not look inside",
            f"GRANT USAGE ON SCHEMA {schema} TO {rights.sql_role};",
        )
        for schema in sorted({table.sql_schema for table in tables})
    )


def _analyze(tables: Sequence[TableFacts], rights: OwnRights, major: int) -> tuple[Problem, ...]:
    what = f"{rights.role} may not analyze"
    if major < _MAINTAIN_SINCE:
        return _through_owners(tables, what, rights, major)
    if len(tables) > _ONE_BY_ONE:
        return (Problem(_say(tables), what, f"GRANT pg_maintain TO {rights.sql_role};"),)
    return tuple(
        Problem(table.sql_name, what, f"GRANT MAINTAIN ON TABLE {table.sql_name} TO {rights.sql_role};")
        for table in tables
    )


def _targets(tables: Sequence[TableReading], rights: OwnRights, major: int) -> tuple[Problem, ...]:
    what = f"{rights.role} may not set statistics targets, which only an owner may"
    return _through_owners([table.facts for table in tables], what, rights, major)


def _through_owners(tables: Sequence[TableFacts], what: str, rights: OwnRights, major: int) -> tuple[Problem, ...]:
    """Give a right that only owners have: by membership, and never by membership in a superuser."""
    owned: dict[str, list[TableFacts]] = defaultdict(list)
    for table in tables:
        owned[table.sql_owner].append(table)
    only_inherit = " WITH INHERIT TRUE, SET FALSE" if major >= _INHERIT_SINCE else ""
    return tuple(
        Problem(
            _say(theirs),
            f"{what}; the owner {owner} is a superuser" if theirs[0].owner_is_superuser else what,
            f"ALTER TABLE {theirs[0].sql_name} OWNER TO <a role that is no superuser>; or name it under analyze.skip"
            if theirs[0].owner_is_superuser
            else f"GRANT {owner} TO {rights.sql_role}{only_inherit};",
        )
        for owner, theirs in sorted(owned.items())
    )


def _soon_visible(table: TableReading, major: int) -> bool:
    """Tell whether the membership that ANALYZE needs anyway opens the statistics too."""
    return major < _MAINTAIN_SINCE and not table.facts.may_alter and not table.facts.hides_rows_from_owner


def _statistics(tables: Sequence[TableReading], rights: OwnRights) -> tuple[Problem, ...]:
    """Ask for the keys of the statistics alone: the columns that hold values from tables stay closed."""
    if not tables:
        return ()
    hidden = _say([table.facts for table in tables])
    grants = (
        "" if rights.may_read_columns else _KEYS.format(role=rights.sql_role),
        "" if rights.may_read_extended else _EXTENDED_KEYS.format(role=rights.sql_role),
    )
    what = f"{rights.role} may not see which statistics exist"
    return tuple(Problem(hidden, what, grant) for grant in grants if grant)


_KEYS = "GRANT SELECT (starelid, staattnum, stainherit) ON pg_catalog.pg_statistic TO {role};"
_EXTENDED_KEYS = "GRANT SELECT (stxoid) ON pg_catalog.pg_statistic_ext_data TO {role};"


def _say(tables: Sequence[TableFacts]) -> str:
    names = ", ".join(table.sql_name for table in tables[:_ONE_BY_ONE])
    return names if len(tables) <= _ONE_BY_ONE else f"{names} and {len(tables) - _ONE_BY_ONE} more"
