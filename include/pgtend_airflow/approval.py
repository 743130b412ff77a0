"""The approval of a restore, with the restore inside it.

Whoever may edit task states can mark an approval as successful and write any XCom. So nothing follows the approval that
could be let through by that: the answer of a person, as Airflow's API checked it, is what starts the work, and marking
this task as successful restores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException
from typing_extensions import override

from pgtend.kernel.errors import Refusal

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.types import DagRunProtocol as DagRun

TYPED_NAME: Final = "typed_name"
_BODY: Final = """\
Started by **{{ dag_run.triggering_user_name or 'nobody we know' }}**, to be answered by somebody else.

| | |
|---|---|
| backup | `{{ params.backup }}` |
| restored as | {% if params.in_place %}**the database itself**; the one that is there is backed up, then kept under \
another name{% else %}`{{ params.target or 'a new database named after this run' }}`, beside the original{% endif %} |

The log of the task before this one says which backup that is, and what it holds."""


class NotApproved(Refusal):
    """Nothing was done, because no second person approved it and typed the name of the database."""

    code = "airflow.not_approved"


class ApprovedRestore(ApprovalOperator):
    """Waits for a second person, and restores when that person says so."""

    database = ""

    @override
    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        answer = cast("Mapping[str, object]", super().execute_complete(context, event))
        if answer["chosen_options"] != [self.APPROVE]:
            return answer
        try:
            approver = approved_by(answer, self.database, _run_of(context))
        except NotApproved as refusal:
            raise AirflowFailException(str(refusal)) from refusal
        self.restore(approver)
        return answer

    def restore(self, approver: str) -> None:
        """Do what was approved."""
        from pgtend_airflow.restoring import restore_as_asked  # noqa: PLC0415 - it brings psycopg, and parsing must not

        restore_as_asked(self.database, approver)


def approved_restore(database: str) -> ApprovedRestore:
    """Build the approval for one database."""
    made = ApprovedRestore(
        task_id="approve_and_restore",
        subject=f"Restore {database}?",
        body=_BODY,
        defaults=ApprovedRestore.REJECT,
        response_timeout=timedelta(hours=4),
        # The wait is bounded by the answer; the work is bounded by its own limits, and is never begun twice.
        execution_timeout=None,
        retries=0,
        retry_policy=None,
        params={
            TYPED_NAME: Param(
                "", type="string", title=f"Type {database}", description="The name of the database, exactly."
            )
        },
    )
    made.database = database
    return made


def approved_by(answer: Mapping[str, object], database: str, run: DagRun) -> str:
    """Name the second person who approved and typed the name, or refuse."""
    _person_in(answer)
    if not run.triggering_user_name:
        raise _refused("nobody is known to have started this run", "Start it in the UI, logged in as yourself.")
    # Who cleared it is not known: one person could take up what another asked for weeks ago, and approve it alone.
    if run.clear_number:
        raise _refused("somebody cleared this run, which started it again", "Start a new one.")
    return person_who_typed(answer, database, starter=run.triggering_user_name)


def person_who_typed(answer: Mapping[str, object], database: str, *, starter: str | None) -> str:
    """Name the person who approved and typed the name, and who is not the one that started the run, or refuse."""
    person = _person_in(answer)
    # Some auth managers give a number as id, so either may be the login.
    names = {str(person[key]).casefold() for key in ("id", "name") if person.get(key)}
    if starter and starter.casefold() in names:
        raise _refused(f"{starter} started this run and cannot approve it", "Ask a second person to answer.")
    typed = cast("Mapping[str, object]", answer["params_input"] or {}).get(TYPED_NAME)
    if typed != database:
        raise _refused(f"the name typed is not '{database}'", "Start it again, and type the name exactly.")
    return str(person.get("name") or person["id"])


def _person_in(answer: Mapping[str, object]) -> Mapping[str, str]:
    person = cast("Mapping[str, str] | None", answer["responded_by_user"])
    if not person or not person.get("id"):
        raise _refused("it was answered by the time-out and not by a person", "Start it again when somebody is there.")
    return person


def _run_of(context: Context) -> DagRun:
    return cast("DagRun", cast("Mapping[str, object]", context)["dag_run"])


def _refused(why: str, hint: str) -> NotApproved:
    return NotApproved(f"this was not approved: {why}", detail="Nothing was changed.", hint=hint)
