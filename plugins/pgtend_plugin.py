"""What pgtend adds to the Airflow UI. Every task process imports this, so it stays as light as a plugin can be."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.types import TaskInstanceKey


class RunbookLink(BaseOperatorLink):
    """A button beside each task: the folder of runbooks, where the fleet file says where it is."""

    name = "Runbooks"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give the web address, or nothing, which hides the button."""
        from pgtend_airflow.pipelines import the_fleet  # noqa: PLC0415 - other people's tasks need none of it

        fleet = the_fleet().fleet
        return (fleet.alerts.runbooks or "") if fleet else ""


class PgtendPlugin(AirflowPlugin):
    """Registers the button."""

    name = "pgtend"
    global_operator_extra_links: ClassVar[list[BaseOperatorLink]] = [RunbookLink()]
