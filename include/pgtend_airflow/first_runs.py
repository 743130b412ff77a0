"""The approval of the first run of an archive rule, with that run inside it.

As with a restore, nothing follows the approval that could be let through by editing a task's state: a person's answer
is what starts the work. A rule that was approved once runs without anybody, until it is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from typing_extensions import override

from pgtend_airflow.approval import TYPED_NAME, NotApproved, person_who_typed

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.types import DagRunProtocol as DagRun
    from airflow.sdk.types import RuntimeTaskInstanceProtocol as TaskInstance

_TASK: Final = "approve_first_run"
_SHOWN: Final = "rules_shown"
_BODY: Final = """\
A rule of this database is new, or was changed. Its first run moves rows that nobody looked at yet.

The log of the task `plan` says which rows would leave which tables, month by month, what that costs, and what a person
should know. Nothing is destroyed by it: rows move into tables beside their own, and can be brought back."""


class ApprovedFirstRun(ApprovalOperator):
    """Waits for a person where a rule is new, and archives by it when that person says so."""

    database = ""

    @override
    def execute(self, context: Context) -> None:
        waiting = self.waiting()
        if not waiting:
            raise AirflowSkipException("every rule was approved before")
        self.log.info("waiting for approval: %s", ", ".join(waiting))
        # The answer may come days later: it is about the rules as they are now.
        _instance_of(context).xcom_push(key=_SHOWN, value=dict(waiting))
        super().execute(context)

    @override
    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        answer = cast("Mapping[str, object]", super().execute_complete(context, event))
        if answer["chosen_options"] != [self.APPROVE]:
            return answer
        run = cast("DagRun", cast("Mapping[str, object]", context)["dag_run"])
        shown = _instance_of(context).xcom_pull(task_ids=_TASK, key=_SHOWN)
        try:
            # A run that the schedule started has no starter, and one person is enough: the machine proposed it.
            approver = person_who_typed(answer, self.database, starter=run.triggering_user_name)
            self.archive(approver, cast("Mapping[str, str]", shown or {}))
        except NotApproved as refusal:
            raise AirflowFailException(str(refusal)) from refusal
        return answer

    def waiting(self) -> Mapping[str, str]:
        """Name the tables whose rule waits for a person, each with the digest of that rule."""
        from pgtend_airflow.archiving import waits_for_approval  # noqa: PLC0415 - it brings psycopg

        return waits_for_approval(self.database)

    def archive(self, approver: str, shown: Mapping[str, str]) -> None:
        """Do what was approved: the rules that were shown, as long as they are the same."""
        from pgtend_airflow.archiving import archive_first_time  # noqa: PLC0415 - it brings psycopg

        archive_first_time(self.database, approver, shown)


def _instance_of(context: Context) -> TaskInstance:
    return cast("TaskInstance", cast("Mapping[str, object]", context)["ti"])


def approved_first_run(database: str) -> ApprovedFirstRun:
    """Build the approval for one database."""
    made = ApprovedFirstRun(
        task_id=_TASK,
        subject=f"Archive old rows of {database} for the first time?",
        body=_BODY,
        defaults=ApprovedFirstRun.REJECT,
        response_timeout=timedelta(days=3),
        # The wait is bounded by the answer, and the work by its own budget.
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
