"""The audit of a database: nobody changes it unseen, and two judges agree on what they see."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bed.clusters import LiveDatabase
from bed.ledgers import ask, tell
from pgtend.ledger.chain import detail_text
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.errors import LedgerUnreachable
from pgtend.ledger.model import AuditHead, ChainBreak, Fault
from pgtend.postgres.address import Address
from pgtend.postgres.errors import MissingRight, RowsBroken
from pgtend.postgres.session import Session

OPEN = "ALTER TABLE reporting.audit_entry DISABLE TRIGGER ALL"


@pytest.fixture
def head(ledger: DatabaseLedger) -> AuditHead:
    """Fill the audit beyond what the migrations wrote, up to entry 42."""
    seq = ledger.audit_head().seq
    heads = [ledger.audit(actor="me", action="test.done", target="kgc", detail={"n": n}) for n in range(seq + 1, 43)]
    return heads[-1]


def forge(reporting: LiveDatabase, *texts: str) -> tuple[ChainBreak, ...]:
    """Do as superuser what nobody should, and let both judges look."""
    reporting.run(OPEN, *texts)
    with reporting.session() as session:
        ledger = DatabaseLedger(session)
        verdict = ledger.verify_chain()
        assert ledger.breaks_by_server() == verdict.breaks
        return verdict.breaks


def test_both_judges_find_that_an_untouched_chain_holds(ledger: DatabaseLedger, head: AuditHead) -> None:
    """The server's functions and ours compute the same hashes."""
    assert ledger.breaks_by_server() == ()
    verdict = ledger.verify_chain([head])
    assert (verdict.entries, verdict.head, verdict.breaks) == (42, head, ())


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'someone else'",
        "login = 'postgres'",
        "at = at + interval '1 microsecond'",
        "detail = detail || '{\"n\": 8.0}'",
        "action = action || ' '",
        "target = ''",
    ],
)
def test_an_edited_entry_shows(reporting: LiveDatabase, head: AuditHead, change: str) -> None:
    """Any field, by any amount."""
    assert head.seq == 42
    found = forge(reporting, f"UPDATE reporting.audit_entry SET {change} WHERE seq = 40")  # noqa: S608 - written out above
    assert found == (ChainBreak(40, Fault.CHANGED),)


def test_an_entry_edited_together_with_its_hash_shows_at_the_next(reporting: LiveDatabase, head: AuditHead) -> None:
    """A forger who knows the function has to write everything after it anew."""
    assert head.seq == 42
    found = forge(
        reporting,
        "UPDATE reporting.audit_entry SET actor = 'x', hash = "
        "reporting.audit_hash(seq, at, login, 'x', action, target, detail, prev) WHERE seq = 40",
    )
    assert found == (ChainBreak(41, Fault.UNLINKED),)


def test_a_removed_entry_shows(reporting: LiveDatabase, head: AuditHead) -> None:
    """In the middle, and at the beginning."""
    assert head.seq == 42
    assert forge(reporting, "DELETE FROM reporting.audit_entry WHERE seq IN (1, 40)") == (
        ChainBreak(2, Fault.GAP),
        ChainBreak(41, Fault.GAP),
    )


def test_entries_that_changed_places_show(reporting: LiveDatabase, head: AuditHead) -> None:
    """Numbers can be swapped, hashes cannot."""
    assert head.seq == 42
    swap = "UPDATE reporting.audit_entry SET seq = {} WHERE seq = {}"
    found = forge(reporting, swap.format(100, 40), swap.format(40, 41), swap.format(41, 100))
    assert found == tuple(ChainBreak(seq, Fault.UNLINKED) for seq in (40, 41, 42))


def test_a_tail_cut_off_shows_against_an_anchor(
    reporting: LiveDatabase, ledger: DatabaseLedger, head: AuditHead
) -> None:
    """The chain alone holds; that is why its head is kept elsewhere."""
    assert forge(reporting, "DELETE FROM reporting.audit_entry WHERE seq > 40") == ()
    assert ledger.verify_chain([head]).breaks == (ChainBreak(42, Fault.CUT_OFF),)


def test_an_audit_that_is_gone_shows_against_an_anchor(
    reporting: LiveDatabase, ledger: DatabaseLedger, head: AuditHead
) -> None:
    """An empty chain has an empty head."""
    assert forge(reporting, "DELETE FROM reporting.audit_entry") == ()
    verdict = ledger.verify_chain([head])
    assert (verdict.head, verdict.breaks) == (AuditHead(0, "0" * 64), (ChainBreak(42, Fault.CUT_OFF),))
    assert ledger.audit_head().seq == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reporting.audit_entry SET actor = 'x' WHERE seq = 1",
        "DELETE FROM reporting.audit_entry WHERE false",
        "TRUNCATE reporting.audit_entry",
    ],
)
def test_even_a_superuser_has_to_take_the_trigger_away_first(reporting: LiveDatabase, change: str) -> None:
    """Accidents end here; replication settings do not switch it off."""
    with reporting.session() as session:
        tell(session, "SET session_replication_role = replica")
        with pytest.raises(MissingRight, match="the audit is append-only"):
            tell(session, change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reporting.audit_entry SET actor = 'x'",
        "UPDATE reporting.audit SET actor = 'x'",
        "DELETE FROM reporting.audit_entry",
        "TRUNCATE reporting.audit_entry",
        "INSERT INTO reporting.audit_entry SELECT * FROM reporting.audit",
        "DROP TABLE reporting.audit_entry",
        "ALTER TABLE reporting.audit_entry DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION reporting.audit_field(field text) RETURNS text LANGUAGE sql RETURN ''",
    ],
)
def test_a_writer_has_no_other_way_into_the_audit(session: Session, change: str) -> None:
    """Nothing but append_audit()."""
    with pytest.raises((MissingRight, LedgerUnreachable)):
        tell(session, change)


def test_the_audit_knows_who_was_logged_in_whatever_the_job_says(
    ledger: DatabaseLedger, writer: Address, session: Session
) -> None:
    """A job can call itself anything; the server writes its login beside it."""
    ledger.audit(actor="the president", action="test.done", target="kgc", detail={})
    assert ask(session, "SELECT login FROM reporting.audit WHERE actor = 'the president'") == [writer.user]


def test_an_old_snapshot_cannot_fork_the_chain(
    reporting: LiveDatabase, ledger: DatabaseLedger, writer: Address
) -> None:
    """A transaction that cannot see the newest entry is refused instead of writing a second one beside it."""
    append = "SELECT reporting.append_audit('me', 'test.done', 'kgc', '{}')"
    with reporting.session(writer) as old:
        tell(old, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM reporting.audit")
        ledger.audit(actor="me", action="test.done", target="kgc", detail={})
        with pytest.raises(RowsBroken, match="unique violation"):
            tell(old, append)
    assert ledger.verify_chain().holds


def test_what_the_caller_puts_in_its_search_path_is_not_used(session: Session, ledger: DatabaseLedger) -> None:
    """A function of the same name in a temporary schema would otherwise run with the owner's rights."""
    tell(
        session,
        "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql RETURN 'epoch'::timestamptz",
        "SET search_path = pg_temp, pg_catalog",
    )
    ledger.audit(actor="me", action="test.done", target="kgc", detail={})
    assert ledger.verify_chain().holds
    assert ask(session, "SELECT count(*) FROM reporting.audit WHERE at < '2000-01-01'") == [0]


facts = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(detail=facts)
def test_facts_are_written_here_as_the_server_writes_them(
    session: Session, detail: dict[str, str | int | bool | None]
) -> None:
    """The hash is of the text, so the texts must be the same to the byte."""
    text = detail_text(detail)
    assert ask(session, "SELECT %(text)s::jsonb::text", {"text": text}) == [text]
