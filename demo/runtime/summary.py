"""What a person reads at the end: where to go, how to get in, what to look at."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from demo.runtime.places import Places
from demo.runtime.ports import Ports
from demo.runtime.secret_words import SecretWords

TEXT = """\

[bold green]Every pipeline is green[/] [dim]({seconds:.0f} s)[/]

  [bold]Airflow[/]   [link={ui}]{ui}[/link]
            admin       {admin}   [dim]everything[/]
            op          {op}   [dim]runs pipelines[/]
            researcher  {researcher}   [dim]reads what was analysed[/]
            viewer      {viewer}   [dim]looks[/]
  [bold]Alerts[/]    [link={alerts}]{alerts}[/link]  [dim]mails and webhooks arrive here[/]

  [bold]Look at[/]   [link={ui}/plugin/pgtend]{ui}/plugin/pgtend[/link]  [dim]are we safe? and why[/]
            vaxtrace, Statements: what got slower last night, and why
            kgc, Archive: what waits for a yes, [dim]which is given under Required Actions[/]
            kgc, Drills: what was proved, the signed receipt, [dim]Drill now[/]
            the log of kgc.analyze: every table, what was decided, and why
            from a shell:  . {shell} && pgtend plan analyze kgc

  [dim]make demo-stop stops it, nothing is lost; make demo-clean removes it
  logs: {logs}[/]
"""


def shown(path: Path) -> str:
    """Show a path as short as the reader's folder allows."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def print_summary(console: Console, places: Places, ports: Ports, words: SecretWords, seconds: float) -> None:
    """Print the last thing that `make demo` says."""
    text = TEXT.format(
        ui=f"http://127.0.0.1:{ports.ui}",
        alerts=f"http://127.0.0.1:{ports.alerts}",
        admin=words["admin"],
        op=words["op"],
        researcher=words["researcher"],
        viewer=words["viewer"],
        shell=shown(places.shell),
        logs=shown(places.logs),
        seconds=seconds,
    )
    console.print(text, highlight=False, soft_wrap=True)
