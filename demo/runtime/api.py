"""Airflow's REST API, as far as the demo needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

HEALTH_NAMES = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}


@dataclass(frozen=True)
class Run:
    """One run of a pipeline."""

    dag_id: str
    run_id: str
    state: str
    seconds: float | None


class Api:
    """A conversation with one API server."""

    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy of the caller's environment has no business with 127.0.0.1.
        self.http = httpx.Client(base_url=url, timeout=120, trust_env=False)

    def is_up(self) -> bool:
        """Tell whether the API server answers."""
        try:
            return self.http.get("/api/v2/monitor/health", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def is_healthy(self, component: str, since: datetime | None) -> bool:
        """Tell whether a component is well; a heartbeat of its former life does not count."""
        try:
            report = self.http.get("/api/v2/monitor/health", timeout=5).json()[HEALTH_NAMES[component]]
        except httpx.HTTPError:
            return False
        beat = report.get(f"latest_{HEALTH_NAMES[component]}_heartbeat")
        if report["status"] != "healthy" or beat is None:
            return False
        return since is None or datetime.fromisoformat(beat) > since

    def log_in(self, name: str, password: str) -> None:
        """Get a token and use it from now on."""
        reply = self.http.post("/auth/token", json={"username": name, "password": password})
        reply.raise_for_status()
        self.token: str = reply.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - what httpx takes
        """Call the API and give the answer."""
        reply = self.http.request(method, f"/api/v2{path}", **options)
        if reply.is_error:
            message = f"{method} {path} answered {reply.status_code}: {reply.text[:500]}"
            raise httpx.HTTPStatusError(message, request=reply.request, response=reply)
        return reply.json()

    def pages(self, path: str, key: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end."""
        offset = 0
        while True:
            page = self.call("GET", path, params={"limit": "100", "offset": str(offset), **parameters})
            yield from page[key]
            offset += 100
            if offset >= page["total_entries"]:
                return

    def dags(self) -> dict[str, str]:
        """List the pipelines, each with the file it stands in."""
        return {dag["dag_id"]: dag["relative_fileloc"] for dag in self.pages("/dags", "dags", exclude_stale="true")}

    def import_errors(self, since: datetime) -> list[str]:
        """List what could not be parsed; an older error may be of a file that was put right meanwhile."""
        errors = self.pages("/importErrors", "import_errors")
        fresh = (error for error in errors if datetime.fromisoformat(error["timestamp"]) > since)
        return [f"{error['filename']}: {error['stack_trace']}" for error in fresh]

    def unpause(self) -> None:
        """Let every pipeline run on its schedule."""
        self.call("PATCH", "/dags", params={"dag_id_pattern": "%"}, json={"is_paused": False})

    def trigger(self, dag_id: str) -> Run:
        """Start a pipeline by hand."""
        return read_run(self.call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None}))

    def newest_run(self, dag_id: str) -> Run | None:
        """Find the last run of a pipeline."""
        order = {"limit": "1", "order_by": "-run_after"}
        runs = self.call("GET", f"/dags/{dag_id}/dagRuns", params=order)["dag_runs"]
        return read_run(runs[0]) if runs else None

    def look_again(self, runs: list[Run]) -> list[Run]:
        """Read runs anew, in one request: a request each would keep the API server busier than the work does."""
        wanted = {(run.dag_id, run.run_id) for run in runs}
        asked = {"dag_ids": sorted({run.dag_id for run in runs}), "order_by": "-run_after", "page_limit": 100}
        found = map(read_run, self.call("POST", "/dags/~/dagRuns/list", json=asked)["dag_runs"])
        return [run for run in found if (run.dag_id, run.run_id) in wanted]

    def failed_tasks(self, run: Run) -> list[dict[str, Any]]:
        """List the tasks of a run that failed, for good or until they are tried again."""
        return [task for task in self.tasks(run) if task["state"] in {"failed", "upstream_failed", "up_for_retry"}]

    def asks(self, run: Run) -> bool:
        """Tell whether all that is left of a run is a question to a person."""
        left = {task["state"] for task in self.tasks(run)} - {"success", "skipped"}
        return bool(left) and left <= {"deferred", "awaiting_input"}

    def tasks(self, run: Run) -> list[dict[str, Any]]:
        """List the tasks of a run."""
        return self.call("GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")["task_instances"]

    def log_of(self, run: Run, task: dict[str, Any]) -> list[str]:
        """Read what a task said."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        lines = self.call("GET", path, params={"map_index": str(task["map_index"])})["content"]
        return [line if isinstance(line, str) else str(line.get("event", line)) for line in lines]


def read_run(answer: dict[str, Any]) -> Run:
    """Read a run from the API's words."""
    return Run(answer["dag_id"], answer["dag_run_id"], answer["state"], answer.get("duration"))
