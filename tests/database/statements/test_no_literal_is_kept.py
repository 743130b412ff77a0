"""Not one of the secrets that stand in statements ever reaches the reporting database."""

from __future__ import annotations

import subprocess
from datetime import datetime

import psycopg

from bed.counted_clinic import Clinic
from bed.ledgers import ask
from bed.secret_statements import FORMS, PREPARATION, WORD, leaks
from pgtend.fleet.model import Database
from pgtend.ledger.model import Subject
from pgtend.statements.job import tend_statements

TIDY = (
    "ALTER SUBSCRIPTION sub DISABLE",
    "ALTER SUBSCRIPTION sub SET (slot_name = NONE)",
    "DROP SUBSCRIPTION sub",
    "ALTER SYSTEM RESET log_line_prefix",
)
SEEN = "SELECT count(*) FROM public.pg_stat_statements WHERE query ILIKE '%%' || %(word)s || '%%'"


def plant(clinic: Clinic, *forms: str) -> int:
    """Run statements with secrets in them; one that the server refuses is counted too when it was understood."""
    understood = 0
    with clinic.source.session() as session:
        for form in forms:
            text = form.replace("{role}", clinic.source.role_name("patient")).replace("{database}", clinic.source.name)
            try:
                session.connection.execute(text.encode())
            except psycopg.Error:
                continue
            understood += 1
    return understood


def dump(clinic: Clinic) -> str:
    """Write the whole reporting database as text."""
    address = clinic.reporting.superuser
    argv = [clinic.reporting.server.tools.path("pg_dump"), "-h", address.params["host"], "-p", address.params["port"]]
    return subprocess.run(
        [*argv, "-U", "postgres", clinic.reporting.name], check=True, capture_output=True, text=True
    ).stdout


def test_no_secret_of_any_form_of_statement_is_in_the_reporting_database(clinic: Clinic) -> None:
    """Eighty forms are planted, the server keeps many in clear text, and a search of a whole dump finds none."""
    assert plant(clinic, *PREPARATION) == len(PREPARATION)
    assert plant(clinic, *FORMS) >= 65
    with clinic.source.session() as session:
        kept_by_server = ask(session, SEEN, {"word": WORD})
    assert int(str(kept_by_server[0])) >= 20
    always = {"start": "00:00", "end": "00:00"}
    rules = {"slow_from": "1 ms", "plans": 100}
    database = Database.model_validate(
        {"name": "clinic", "connection": "clinic", "window": always, "statements": rules}
    )
    lines: list[str] = []
    with clinic.ledger() as ledger:
        for moment in ("2026-11-02T01:00+00:00", "2026-11-03T01:00+00:00"):
            subject = Subject("clinic", "statements", "test")
            tend_statements(
                database, clinic.source.superuser, ledger, subject, lines.append, moment=datetime.fromisoformat(moment)
            )
            plant(clinic, *FORMS)
    clinic.tell(*TIDY)
    written = dump(clinic)
    assert "SELECT * FROM public.patients WHERE name = $1" in written
    assert "ALTER ROLE" in written
    assert "Seq Scan" in written
    assert leaks(written) == []
    assert leaks("\n".join(lines)) == []


def test_a_secret_in_a_dump_is_found() -> None:
    """The search above can fail."""
    assert len(leaks("a\nCOPY x\n1\tsecret-1\n")) == 1
    assert len(leaks("weight > 775533991177")) == 1
