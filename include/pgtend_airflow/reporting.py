"""The weekly report as tasks make it: written into the vaults, and sent to the people of the fleet."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Final

from pgtend.fleet.model import Fleet
from pgtend.health.model import Level
from pgtend.kernel.names import counted
from pgtend.ledger.database import DatabaseLedger
from pgtend.report.errors import NothingRemembered
from pgtend.report.job import MadeReport, store_reports
from pgtend.vault.model import Vault
from pgtend.vault.open import open_vault
from pgtend_airflow.alerts.channels import ChannelBroken, deliver
from pgtend_airflow.alerts.message import Attachment, Message
from pgtend_airflow.desk import FleetDesk
from pgtend_airflow.pipelines import the_fleet

# A mail that a server refuses for its size tells nobody anything; what is fine needs no page of its own in it.
_PAGES_IN_A_MAIL: Final = 10


def report_on_fleet(desk: FleetDesk) -> dict[str, str]:
    """Make every report, keep it in the vaults, send the fleet's own; give the keys of the pages."""
    if not isinstance(desk.ledger, DatabaseLedger):
        raise NothingRemembered(
            "the fleet file names no reporting database, so there is no history to report on",
            hint="Name one under `ledger:` and run `pgtend ledger migrate`.",
        )

    def vault_of(name: str) -> Vault:
        return open_vault(desk.connections.completed(desk.fleet.vaults[name]), desk.connections.aws_session)

    reports, keys = store_reports(desk.fleet, desk.ledger, vault_of, desk.subject, desk.progress)
    if not deliver(desk.fleet.alerts, composed(desk.fleet, reports, keys, desk.subject.run_url)):
        raise ChannelBroken(
            "no channel took the weekly report",
            detail="It is in the vault all the same.",
            hint="Follow docs/runbooks/alert-channel-broken.md, then start fleet.report again.",
        )
    return dict(keys)


def composed(fleet: Fleet, reports: Sequence[MadeReport], keys: Mapping[str, str], run_url: str) -> Message:
    """Write the mail: the verdict of each database in a line, and the pages of what is not fine."""
    whole, databases = reports[0].report, sorted(reports[1:], key=lambda made: -made.report.level.rank)
    lines = [f"{made.report.level}: {made.report.verdict}" for made in databases]
    pages = [reports[0], *(made for made in databases if made.report.level is not Level.OK)]
    level, missing = whole.level, len(the_fleet().problems)
    if missing:
        # A database with a mistake in the file has no page, and is in no verdict.
        level = max(level, Level.UNKNOWN, key=lambda one: one.rank)
        lines.insert(
            0, f"{Level.UNKNOWN}: the fleet file has {counted(missing, 'problem')}; what is wrong there is left out"
        )
    where = f"All pages are in the vault under {keys[whole.name].rsplit('/', 3)[0]}. The run: {run_url}"
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return Message(
        title=f"[{fleet.fleet} {fleet.environment}] weekly report: {level}",
        text="\n".join([whole.verdict, "", *lines, "", where, ""]),
        html=f'<div style="font-family:sans-serif"><p><b>{html.escape(whole.verdict)}</b></p><ul>{items}</ul>'
        f"<p>{html.escape(where)}</p></div>",
        chat=f"{whole.verdict}\n{run_url}",
        is_good_news=level is Level.OK,
        wakes_somebody=False,
        attachments=tuple(Attachment(name=made.files[0].name, content=made.page) for made in pages[:_PAGES_IN_A_MAIL]),
    )
