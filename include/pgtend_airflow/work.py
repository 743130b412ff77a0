"""The use cases as tasks start them: what stands on the desk goes in, lines that people read come out."""

from __future__ import annotations

from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.signer import trusted_keys, vault_of_receipts
from pgtend.drill.receipts.verify import audit_heads, verify_receipts
from pgtend.fleet.model import first_vault
from pgtend.health.store import HealthStore
from pgtend.kernel.names import counted
from pgtend.kernel.times import say_span
from pgtend.ledger.anchor import verify_and_anchor
from pgtend.ledger.database import DatabaseLedger
from pgtend.planner.job import analyze_database, say_plan
from pgtend.planner.model import Decision
from pgtend.planner.plan import plan_analyze
from pgtend.postgres.session import open_session
from pgtend.vault.open import open_vault
from pgtend_airflow.desk import Desk, FleetDesk
from pgtend_airflow.pipelines import OUTSIDE_WINDOW, TABLES


def show_analyze_plan(desk: Desk) -> None:
    """Say for every table what would be done and why, and refuse where rights are missing."""
    rules = desk.database.analyze
    with open_session(desk.address, desk.database.limits, application=f"pgtend:plan:{desk.database.name}") as session:
        plan = plan_analyze(session, rules, only=_tables(desk))
    desk.progress(say_plan(plan))
    for decision in plan.decisions:
        desk.progress(_said(decision))
    plan.raise_if_rights_are_missing()


def renew_statistics(desk: Desk) -> None:
    """Run ANALYZE where it is needed, prove it, record it."""
    analyze_database(
        desk.database,
        desk.address,
        desk.ledger,
        desk.subject,
        desk.progress,
        only=_tables(desk),
        ignore_window=bool(desk.form[OUTSIDE_WINDOW]),
    )


def anchor_the_audit(desk: FleetDesk) -> None:
    """Verify the audit against its anchors in the fleet's first vault, and anchor its head there."""
    settings = desk.fleet.vaults[first_vault(list(desk.fleet.vaults))]
    with open_vault(desk.connections.completed(settings), desk.connections.aws_session) as vault:
        verify_and_anchor(desk.fleet.fleet, desk.ledger, vault, desk.progress)


def verify_all_receipts(desk: FleetDesk) -> None:
    """Verify the receipts of all drills, and the audit against the heads that they carry."""
    keys = trusted_keys(desk.fleet.receipts)
    settings = desk.fleet.vaults[vault_of_receipts(desk.fleet)]
    with open_vault(desk.connections.completed(settings), desk.connections.aws_session) as vault:
        book = ReceiptBook(vault=vault, fleet=desk.fleet.fleet, trusted=keys)
        if not keys and not book.numbers():
            desk.progress("no drill has issued a receipt yet")
            return
        report = verify_receipts(book, desk.ledger, desk.progress)
    report.raise_if_broken()
    desk.ledger.verify_chain(audit_heads(report.receipts)).raise_if_broken()
    desk.progress(f"verified {counted(len(report.receipts), 'receipt')}, all sound; the newest is {report.head}")


def forget_old_months(desk: FleetDesk) -> None:
    """Drop what the ledger need not remember any longer; a ledger in a folder remembers everything."""
    settings = desk.fleet.ledger
    if settings is None or not isinstance(desk.ledger, DatabaseLedger):
        return
    forgotten = desk.ledger.forget(keep=settings.keep, actor=desk.subject.actor)
    forgotten = (*forgotten, *HealthStore(desk.ledger).forget(keep=settings.keep_readings, actor=desk.subject.actor))
    months = ", ".join(forgotten) or "nothing is older than that"
    desk.progress(f"kept are the last {say_span(settings.keep)}; forgotten: {months}")


def _said(decision: Decision) -> str:
    verdict = "analyze" if decision.analyze else "leave alone"
    why = f" ({decision.explanation})" if decision.explanation else ""
    return f"{verdict} {decision.table.name}: {decision.reason}{why}"


def _tables(desk: Desk) -> tuple[str, ...]:
    asked = desk.form[TABLES]
    return (str(asked),) if asked else ()
