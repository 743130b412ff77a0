"""What only a folder can suffer: torn lines, other hands, a disk that says no."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from bed.ledgers import KGC, RECORD, Looked
from pgtend.kernel.errors import BrokenEvidence, MachineExhausted, Refusal
from pgtend.ledger.errors import FolderDamaged, LedgerUnreachable
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.model import ChainBreak, Fault


class Damage(BrokenEvidence):
    """What a run may find."""

    code = "test.damage"


class TooEarly(Refusal):
    """A failure of a test."""

    code = "test.too_early"


@pytest.fixture
def ledger(tmp_path: Path) -> FolderLedger:
    """Give a ledger with three entries."""
    made = FolderLedger(tmp_path / "ledger", clock=lambda: datetime(2026, 11, 21, 14, 0, tzinfo=UTC))
    for number in range(3):
        made.audit(actor="me", action="test.done", target="kgc", detail={"n": number})
    return made


def replaced_by_a_file(ledger: FolderLedger) -> None:
    """Take the ledger away, as a disk that is unmounted does."""
    ledger.path.rename(ledger.path.with_name("gone"))
    ledger.path.touch()


def test_a_line_torn_by_a_dying_process_is_cut_off_and_told(ledger: FolderLedger) -> None:
    """Nobody was ever told that it is there, and the chain goes on behind the last whole line."""
    chain = ledger.path / "audit.jsonl"
    chain.write_bytes(chain.read_bytes() + b'{"seq": 4, "at": "2026')
    head = ledger.audit(actor="me", action="test.done", target="kgc", detail={})
    verdict = ledger.verify_chain()
    assert (verdict.entries, verdict.head, verdict.breaks) == (5, head, ())
    mended = next(ledger.entries(3))
    assert (mended.seq, mended.action, mended.detail) == (4, "ledger.mended", '{"bytes": 22}')


def test_a_line_longer_than_a_block_is_still_the_last_line(ledger: FolderLedger) -> None:
    """The end of the file is searched backwards in steps."""
    ledger.audit(actor="me", action="test.done", target="kgc", detail={"long": "x" * 20_000})
    assert ledger.audit(actor="me", action="test.done", target="kgc", detail={}).seq == 5
    assert ledger.verify_chain().holds


def test_an_edited_line_shows(ledger: FolderLedger) -> None:
    """An editor leaves its mark."""
    chain = ledger.path / "audit.jsonl"
    chain.write_text(chain.read_text().replace('\\"n\\": 1', '\\"n\\": 7'))
    assert ledger.verify_chain().breaks == (ChainBreak(2, Fault.CHANGED),)


def test_a_removed_line_shows(ledger: FolderLedger) -> None:
    """So do scissors."""
    chain = ledger.path / "audit.jsonl"
    one, _, three = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(one + three)
    assert ledger.verify_chain().breaks == (ChainBreak(3, Fault.GAP),)


@pytest.mark.parametrize("line", ["hello", '{"seq": 4}', "{}", '{"seq": "4"}'])
def test_a_line_that_is_no_entry_is_damage(ledger: FolderLedger, line: str) -> None:
    """Nothing is appended behind what was never written there by us."""
    with (ledger.path / "audit.jsonl").open("a") as chain:
        chain.write(line + "\n")
    with pytest.raises(FolderDamaged, match="holds a line that is no entry"):
        ledger.audit(actor="me", action="test.done", target="kgc", detail={})


def test_evidence_is_kept_in_lines_and_its_digest_in_the_outcome(ledger: FolderLedger) -> None:
    """Spans are seconds, and whoever changes the file later contradicts the chain."""
    with ledger.run(KGC) as run:
        run.add(RECORD, [Looked("patient")])
    content = (ledger.path / "evidence" / f"{run.run_id}.jsonl").read_bytes()
    assert json.loads(content) == {"kind": "record_evidence", "table_name": "patient", "took": 1.5, "rows_before": 10}
    outcome = json.loads(list(ledger.entries())[-1].detail)
    assert outcome["evidence_sha256"] == sha256(content).hexdigest()


def test_evidence_is_a_dataclass_of_plain_values(ledger: FolderLedger) -> None:
    """Anything else is a bug of the caller, and says so."""

    @dataclass(frozen=True)
    class Strange:
        what: object

    with pytest.raises(TypeError, match="evidence is a dataclass, not a dict"), ledger.run(KGC) as run:
        run.add(RECORD, [{"table_name": "patient"}])
    with pytest.raises(TypeError, match="evidence cannot hold a set"), ledger.run(KGC) as run:
        run.add(RECORD, [Strange({1})])


def test_without_the_ledger_nothing_is_done(ledger: FolderLedger) -> None:
    """The work must not begin when its intent cannot be written down."""
    replaced_by_a_file(ledger)
    with pytest.raises(LedgerUnreachable, match="cannot be written"), ledger.run(KGC):
        pytest.fail("the work began")


def test_work_that_was_done_while_the_ledger_died_is_told(ledger: FolderLedger) -> None:
    """The caller learns both: the work is done, and nobody could write it down."""
    with pytest.raises(LedgerUnreachable, match="was done, but the ledger could not be told"), ledger.run(KGC):
        replaced_by_a_file(ledger)


def test_work_that_failed_while_the_ledger_died_keeps_its_own_error(ledger: FolderLedger) -> None:
    """Both errors are chained, and the hint is the one of the work."""
    with pytest.raises(LedgerUnreachable, match="failed, and the ledger could not be told") as caught, ledger.run(KGC):  # noqa: PT012 - the work of the run
        replaced_by_a_file(ledger)
        raise TooEarly("the window is closed", hint="Wait until 22:00.")
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert [type(error) for error in caught.value.__cause__.exceptions] == [TooEarly, LedgerUnreachable]
    assert "the window is closed [test.too_early]" in caught.value.detail
    assert caught.value.hint == "Wait until 22:00."


def test_damage_stays_damage_when_the_ledger_died_too(ledger: FolderLedger) -> None:
    """As an outage it would be tried again, and wake nobody."""
    with pytest.raises(Damage) as caught, ledger.run(KGC):  # noqa: PT012 - the work of the run
        replaced_by_a_file(ledger)
        raise Damage("a part is damaged", detail="It is cut.")
    assert caught.value.detail.startswith("It is cut. The ledger could not be told: the ledger folder")


def test_a_run_on_a_machine_without_room_failed_as_an_outage(ledger: FolderLedger) -> None:
    """As an error of Python it was no family's, had no hint, and stood in the ledger as interrupted."""
    with pytest.raises(MachineExhausted), ledger.run(KGC):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert '"error_code": "pgtend.machine_exhausted"' in [*ledger.entries()][-1].detail


def test_a_kill_stays_a_kill_when_the_ledger_died_too(ledger: FolderLedger) -> None:
    """As an outage it would be tried again, against the will of whoever stopped it."""
    with pytest.raises(KeyboardInterrupt) as caught, ledger.run(KGC):  # noqa: PT012 - the work of the run
        replaced_by_a_file(ledger)
        raise KeyboardInterrupt
    assert "The ledger could not be told either" in caught.value.__notes__[0]
