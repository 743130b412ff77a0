"""Every pipeline once for every database: start what is not green, watch, and show the log of what fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.runtime.api import Api, Run
from demo.runtime.places import DemoProblem

OVER = {"success", "failed"}
# A restore is approved by somebody, and so is the first run of an archive rule; each backup verifies itself already.
FOR_PEOPLE = (".restore", ".archive", ".verify")
# A drill needs a backup, advice is proved on the copy of a drill, and the report tells of all of them.
LATER = {"restore_drill": 1, "index_advice": 1, "report": 2}
LOOKS = {"success": "[green]✔ success", "failed": "[red]✘ failed", "running": "[cyan]… running", "queued": "… queued"}


def wait_for_pipelines(api: Api, files: set[str], patience: timedelta) -> list[str]:
    """Wait until Airflow has read every DAG file, and list the pipelines in them."""
    deadline = time.monotonic() + patience.total_seconds()
    asked_at = datetime.now(UTC)
    while True:
        known = api.dags()
        unread = files - set(known.values())
        if not unread:
            return sorted(known)
        if errors := api.import_errors(asked_at):
            raise DemoProblem("Airflow cannot read a DAG file", *"\n".join(errors).splitlines())
        if time.monotonic() > deadline:
            raise DemoProblem(f"Airflow shows no pipeline of {', '.join(sorted(unread))}")
        time.sleep(2)


def in_waves(dag_ids: list[str]) -> list[list[str]]:
    """Put what needs the work of others behind it; leave out what waits for a person, which is never a script."""
    alone = [dag_id for dag_id in dag_ids if not dag_id.endswith(FOR_PEOPLE)]
    waves = ([dag_id for dag_id in alone if LATER.get(dag_id.partition(".")[2], 0) == wave] for wave in range(3))
    return [wave for wave in waves if wave]


def run_every_pipeline(api: Api, dag_ids: list[str], console: Console, patience: timedelta) -> list[Run]:
    """Run what is not green and wait for all; what still runs when patience ends is returned as it is."""
    runs = {dag_id: begin(api, dag_id) for dag_id in dag_ids}
    deadline = time.monotonic() + patience.total_seconds()
    show = watch(console)
    with show(runs) as update:
        while any(run.state not in OVER for run in runs.values()):
            if time.monotonic() > deadline:
                return list(runs.values())
            time.sleep(1)
            unfinished = [run for run in runs.values() if run.state not in OVER]
            runs |= {run.dag_id: run for run in api.look_again(unfinished)}
            update(runs)
    return list(runs.values())


def begin(api: Api, dag_id: str) -> Run:
    """Take the run that is green or under way; otherwise start one."""
    newest = api.newest_run(dag_id)
    if newest is not None and newest.state != "failed":
        return newest
    return api.trigger(dag_id)


def wait_for_question(api: Api, run: Run, patience: timedelta) -> None:
    """Wait until a run asks a person; one that is over was answered before."""
    deadline = time.monotonic() + patience.total_seconds()
    while not api.asks(run):
        (run,) = api.look_again([run])
        if run.state in OVER:
            explain_failures(api, [run])
            return
        if time.monotonic() > deadline:
            raise DemoProblem(f"{run.dag_id} asks nobody yet", "Look again in a moment: make demo goes on from here.")
        time.sleep(1)


def watch(console: Console) -> Callable[[dict[str, Run]], LiveRuns]:
    """Choose how to show progress: a table that moves, or a line for each end when nobody watches."""
    return lambda runs: LiveRuns(console, runs)


class LiveRuns:
    """The table of runs while they go on."""

    def __init__(self, console: Console, runs: dict[str, Run]) -> None:
        self.console = console
        self.told: set[str] = set()
        self.live = Live(table(runs), console=console, refresh_per_second=4) if console.is_terminal else None
        self.first = runs

    def __enter__(self) -> Callable[[dict[str, Run]], None]:
        if self.live is not None:
            self.live.start()
        self.update(self.first)
        return self.update

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def update(self, runs: dict[str, Run]) -> None:
        """Show where everything stands."""
        if self.live is not None:
            self.live.update(table(runs))
            return
        for dag_id, run in runs.items():
            if run.state in OVER and dag_id not in self.told:
                self.told.add(dag_id)
                self.console.print(f"    {LOOKS[run.state]}[/] {dag_id} ({say_seconds(run)})")


def table(runs: dict[str, Run]) -> Table:
    """Draw all runs, a database a row and a pipeline a column."""
    databases = sorted({dag_id.partition(".")[0] for dag_id in runs})
    pipelines = sorted({dag_id.partition(".")[2] for dag_id in runs})
    drawn = Table("", *pipelines, box=None)
    for database in databases:
        cells = [runs.get(f"{database}.{pipeline}") for pipeline in pipelines]
        drawn.add_row(f"[bold]{database}", *(cell(run) for run in cells))
    return drawn


def cell(run: Run | None) -> str:
    """Draw one run."""
    return "" if run is None else f"{LOOKS.get(run.state, run.state)} [dim]{say_seconds(run)}[/]"


def say_seconds(run: Run) -> str:
    """Say how long a run took."""
    return "" if run.seconds is None else f"{run.seconds:.1f} s"


def explain_failures(api: Api, runs: list[Run]) -> None:
    """Stop with the end of the log of each task that failed, or that waits to be tried again."""
    late = [run.dag_id for run in runs if run.state not in OVER]
    failed = [run for run in runs if run.state != "success"]
    if not failed:
        return
    lines = [f"still running, look again in a moment: {', '.join(late)}"] if late else []
    for run in failed:
        for task in api.failed_tasks(run):
            lines += [f"{run.dag_id} / {task['task_id']} {task['state']}:"]
            lines += [f"    {line}" for line in api.log_of(run, task)[-20:]] if task["try_number"] else []
    raise DemoProblem(f"not green: {', '.join(run.dag_id for run in failed)}", *lines)
