"""Web addresses that people click: the run in the UI, the runbook to follow."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from airflow.sdk import BaseOperator, BaseOperatorLink, conf
from airflow.sdk.types import TaskInstanceKey

from pgtend.fleet.model import Fleet

RECEIPT: Final = "receipt"


class ReceiptLink(BaseOperatorLink):
    """A button beside a drill, passed or failed: its signed receipt, as a page for people."""

    name = "Receipt"  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] - Airflow's own way

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Give the address of the receipt that the task left, or nothing, which hides the button."""
        from airflow.sdk.execution_time.xcom import XCom  # noqa: PLC0415 - a DAG file is parsed without it

        receipt = XCom.get_value(ti_key=ti_key, key=RECEIPT)  # pyright: ignore[reportArgumentType] - a key is enough
        return receipt_link(operator.dag_id.partition(".")[0], str(receipt)) if receipt else ""


def run_link(dag_id: str, run_id: str) -> str:
    """Link to a run in the UI."""
    return f"{_base()}/dags/{dag_id}/runs/{quote(run_id)}"


def receipt_link(database: str, receipt: str) -> str:
    """Link to the page of a receipt, which is behind the same login."""
    return f"{_base()}/pgtend/api/v1/databases/{database}/receipts/{receipt}/page"


def runbook_link(fleet: Fleet, name: str) -> str:
    """Link to a runbook where the fleet file says where they are; else name its file."""
    base = fleet.alerts.runbooks
    return f"{base.rstrip('/')}/{name}.md" if base else f"docs/runbooks/{name}.md"


def _base() -> str:
    base = conf.get("api", "base_url")  # pyright: ignore[reportUnknownMemberType] - half typed
    return base.rstrip("/")
