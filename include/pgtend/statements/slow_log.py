"""What the server logs about slow statements beside what the fleet file wants, and setting it where we may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pgtend.fleet.statements import SlowLogRules
from pgtend.kernel.progress import Progress
from pgtend.postgres.errors import MissingRight, StatementRejected
from pgtend.postgres.identifiers import database as identifier
from pgtend.postgres.identifiers import number
from pgtend.postgres.session import Session
from pgtend.sqlfiles import Query, command, query
from pgtend.statements.errors import LoggingNotSet

_PRELOAD = "add auto_explain to session_preload_libraries of the server first"


@dataclass(frozen=True, slots=True)
class SlowLog:
    """What the server logs about slow statements here."""

    statements_ms: float | None
    plans_ms: float | None
    can_explain: bool
    parameters: str
    sql_database: str
    sql_role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting that is not as the fleet file wants it, and the statement that would make it so."""

    setting: str
    found: str
    wanted: int
    statement: str
    command: Query[None] | None

    def __str__(self) -> str:
        return f"{self.setting} is {self.found} where {self.wanted} ms is wanted: {self.statement}"


READ_SLOW_LOG = query(__package__ or "", "read_slow_log", SlowLog)
SET_STATEMENT_LOG = command(__package__ or "", "set_statement_log")
SET_PLAN_LOG = command(__package__ or "", "set_plan_log")


def differences(seen: SlowLog, rules: SlowLogRules) -> Iterator[Difference]:
    """List what the server should log and does not, each with its statement."""
    wanted = _milliseconds(rules.statements_from)
    if wanted is not None and seen.statements_ms != wanted:
        yield _difference(seen, "log_min_duration_statement", seen.statements_ms, wanted, SET_STATEMENT_LOG)
    plans = _milliseconds(rules.plans_from)
    if plans is None or seen.plans_ms == plans:
        return
    name = "auto_explain.log_min_duration"
    if seen.can_explain:
        yield _difference(seen, name, seen.plans_ms, plans, SET_PLAN_LOG)
    else:
        yield Difference(setting=name, found="unknown to the server", wanted=plans, statement=_PRELOAD, command=None)


def tend_slow_log(session: Session, rules: SlowLogRules, progress: Progress) -> None:
    """Say what differs; where the fleet file asks for it, set it for this database and see that it holds."""
    seen = session.row(READ_SLOW_LOG)
    for difference in differences(seen, rules):
        if not rules.apply or difference.command is None:
            progress(f"{session.facts.database}: {difference}")
            continue
        _apply(session, seen, difference, difference.command)
        progress(f"{session.facts.database}: {difference.setting} is set to {difference.wanted} ms for new sessions")
    if rules.statements_from is not None and seen.parameters == "-1":
        progress(
            f"{session.facts.database}: the log holds bound values too; log_parameter_max_length = 0 leaves them out"
        )


def _apply(session: Session, seen: SlowLog, difference: Difference, setting: Query[None]) -> None:
    try:
        session.run(setting, database=identifier(session.facts.database), milliseconds=number(difference.wanted))
    except (MissingRight, StatementRejected) as error:
        raise LoggingNotSet(
            f"{difference.setting} cannot be set by {session.facts.role}",
            detail=f"The server said: {error.message}. It owns the database, or it needs the right to alter it.",
            hint=f"As a superuser: {difference.statement} Or let the role do it (from version 15 on): "
            f"GRANT SET ON PARAMETER {difference.setting} TO {seen.sql_role};",
        ) from error


def _difference(seen: SlowLog, name: str, found: float | None, wanted: int, setting: Query[None]) -> Difference:
    said = "off" if found is None else f"{found:g} ms"
    text = f"ALTER DATABASE {seen.sql_database} SET {name} = {wanted};"
    return Difference(setting=name, found=said, wanted=wanted, statement=text, command=setting)


def _milliseconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span / timedelta(milliseconds=1))
