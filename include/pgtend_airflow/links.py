"""Web addresses that people click: the run in the UI, the runbook to follow."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import conf

from pgtend.fleet.model import Fleet


def run_link(dag_id: str, run_id: str) -> str:
    """Link to a run in the UI."""
    base = conf.get("api", "base_url")  # pyright: ignore[reportUnknownMemberType] - half typed
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def runbook_link(fleet: Fleet, name: str) -> str:
    """Link to a runbook where the fleet file says where they are; else name its file."""
    base = fleet.alerts.runbooks
    return f"{base.rstrip('/')}/{name}.md" if base else f"docs/runbooks/{name}.md"
