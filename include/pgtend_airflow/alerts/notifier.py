"""The callbacks that Airflow calls when something failed, recovered or is late.

Imported whenever a DAG file is parsed, so it imports the rest only when one of them is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from airflow.sdk import BaseNotifier, Context

if TYPE_CHECKING:
    from jinja2 import Environment

_ENDED: Final = frozenset({"success", "failed"})


class _Notice(BaseNotifier):
    """A notifier without templates: looking for some would need a DAG that can render, and not every caller has one."""

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Leave everything as it is."""


class TroubleNotice(_Notice):
    """Says once that something broke.

    A task tells it itself, with its error. The same notice stands at the DAG, because a task that is killed tells
    nothing any more: there it speaks only of runs that nobody spoke of before.
    """

    def notify(self, context: Context) -> None:
        """Note the failure, and send a message when it is news."""
        from pgtend_airflow.alerts.events import tell_failure  # noqa: PLC0415 - see the top

        tell_failure(context)


class RecoveredNotice(_Notice):
    """Says once that it is over."""

    def notify(self, context: Context) -> None:
        """Close what was open, and send a message to whoever heard of it."""
        from pgtend_airflow.alerts.events import tell_recovery  # noqa: PLC0415 - see the top

        tell_recovery(context)


def deadline_missed(context: Mapping[str, object]) -> None:
    """Say once that a run is late: Airflow calls this by its dotted name."""
    from pgtend_airflow.alerts.events import tell_late  # noqa: PLC0415 - see the top

    run = cast("Mapping[str, object]", context["dag_run"])
    # Airflow forgets the deadline of a run that succeeded, and keeps that of one that failed, which was told already.
    if run.get("state") in _ENDED:
        return
    tell_late(str(run["dag_id"]), str(run.get("dag_run_id") or run["run_id"]))


TROUBLE_NOTICE: Final = TroubleNotice()
RECOVERED_NOTICE: Final = RecoveredNotice()
