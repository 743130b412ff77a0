"""What every ledger promises, whether a database keeps it or a folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import pytest

from bed.clusters import asked
from bed.impatient import wait_for
from bed.ledgers import KGC, RECORD, Looked
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import Refusal
from pgtend.ledger.errors import ChainBroken
from pgtend.ledger.model import AuditHead, ChainBreak, Fault, Ledger, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import open_session


class TooEarly(Refusal):
    """A failure of a test."""

    code = "test.too_early"


def story(ledger: Ledger) -> list[str]:
    """Tell what the audit says of runs, in order."""
    return [entry.action for entry in ledger.entries() if entry.action.startswith("run.")]


def killed_run(*arguments: str) -> str:
    """Let another process open a run and die by SIGKILL; give the name of the run."""
    script = Path(__file__).with_name("ledger_victim.py")
    with subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        run_id = victim.stdout.readline().strip()
        victim.send_signal(signal.SIGKILL)
    if arguments[0] == "database":
        await_end_of_victim(Address(params=json.loads(arguments[1])))
    return run_id


def await_end_of_victim(address: Address) -> None:
    """Wait until the server noticed that it speaks to nobody: a busy one takes a moment."""
    there = asked("SELECT application_name AS word FROM pg_stat_activity WHERE application_name = 'pgtend:victim'")
    with open_session(address, Limits(), application="pgtend:test") as session:
        wait_for(lambda: not session.rows(there))


class LedgerContract:
    """Tests that a ledger inherits; the fixture `ledger` gives it, and `victim` the arguments of a dying process."""

    def test_the_intent_is_written_before_the_work_and_the_outcome_after(self, ledger: Ledger) -> None:
        """Whoever reads the audit during the work finds that it was begun."""
        with ledger.run(KGC) as run:
            assert story(ledger) == ["run.started"]
        assert story(ledger) == ["run.started", "run.succeeded"]
        started = next(entry for entry in ledger.entries() if entry.action == "run.started")
        assert (started.actor, started.target) == ("airflow", "kgc/analyze")
        assert json.loads(started.detail) == {"run_id": run.run_id, "run_url": "http://airflow.test/runs/1"}

    def test_our_own_error_makes_a_run_failed_and_goes_on_to_the_caller(self, ledger: Ledger) -> None:
        """The error is not swallowed, and its code is in the audit."""
        with pytest.raises(TooEarly), ledger.run(KGC):
            raise TooEarly("the window is closed")
        assert story(ledger) == ["run.started", "run.failed"]
        assert json.loads(list(ledger.entries())[-1].detail)["error_code"] == "test.too_early"

    @pytest.mark.parametrize("blow", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
    def test_anything_else_makes_a_run_interrupted(self, ledger: Ledger, blow: type[BaseException]) -> None:
        """A kill and a bug are told apart from a failure that was foreseen; what they say is not kept."""
        with pytest.raises(blow), ledger.run(KGC):
            raise blow("patient 4711")
        last = list(ledger.entries())[-1]
        assert last.action == "run.interrupted"
        assert json.loads(last.detail)["error_code"] == blow.__name__
        assert "4711" not in last.detail

    def test_evidence_is_counted_in_the_outcome(self, ledger: Ledger) -> None:
        """The outcome says how much evidence there must be; nothing to add is nothing counted."""
        with ledger.run(KGC) as run:
            run.add(RECORD, [Looked("patient"), Looked("visit")])
            run.add(RECORD, [])
            run.add(RECORD, [Looked("drug")])
        assert json.loads(list(ledger.entries())[-1].detail)["evidence_rows"] == 3

    def test_a_run_whose_process_was_killed_is_closed_by_the_next_one(
        self, ledger: Ledger, victim: Sequence[str]
    ) -> None:
        """A kill -9 leaves a run open, and the next run of the same subject finds it dead."""
        dead = killed_run(*victim)
        with ledger.run(KGC) as run:
            assert run.vanished == (dead,)
        with ledger.run(KGC) as run:
            assert run.vanished == ()
        assert story(ledger) == ["run.started", "run.vanished", *["run.started", "run.succeeded"] * 2]

    def test_a_dead_run_of_another_subject_is_left_alone(self, ledger: Ledger, victim: Sequence[str]) -> None:
        """Only who tends the same database by the same pipeline holds the lock that makes it sure."""
        killed_run(*victim)
        for subject in (Subject("kgc", "backup", "me"), Subject("vaxtrace", "analyze", "me")):
            with ledger.run(subject) as run:
                assert run.vanished == ()

    def test_a_living_run_is_never_taken_for_dead(self, ledger: Ledger, second: Ledger) -> None:
        """Even a second run of the same subject, which the lock should have kept out, closes nothing."""
        with ledger.run(KGC):
            with second.run(KGC) as other:
                assert other.vanished == ()
            with ledger.run(KGC) as nested:
                assert nested.vanished == ()
        assert story(ledger).count("run.succeeded") == 3

    def test_a_chain_that_nobody_touched_holds(self, ledger: Ledger) -> None:
        """Every entry follows the one before it, and the head is the newest."""
        for number in range(5):
            head = ledger.audit(
                actor="me", action="test.done", target="kgc", detail={"n": number, "ok": True, "b": None}
            )
        verdict = ledger.verify_chain([head])
        assert verdict.holds
        assert verdict.head == head == ledger.audit_head()
        assert verdict.entries == head.seq
        verdict.raise_if_broken()

    def test_odd_characters_are_hashed_as_they_are_kept(self, ledger: Ledger) -> None:
        """Quotes, emoji, control and zero characters, half a surrogate pair, and keys in any order."""
        odd = 'Zoë "q" \\ \t \x01 \x7f 😀 \0 \ud800 e\u0301'
        ledger.audit(actor=odd, action="test.odd", target=odd, detail={"zz": odd, "é": 2**70, "a😀": -1, odd: odd})
        assert ledger.verify_chain().breaks == ()

    def test_an_anchor_tells_what_the_chain_alone_cannot(self, ledger: Ledger) -> None:
        """Entries cut off at the end, and a chain written anew from an early entry on."""
        head = ledger.audit(actor="me", action="test.done", target="kgc", detail={})
        beyond = AuditHead(head.seq + 7, "ab" * 32)
        other = AuditHead(head.seq, "cd" * 32)
        assert ledger.verify_chain([beyond]).breaks == (ChainBreak(head.seq + 7, Fault.CUT_OFF),)
        assert ledger.verify_chain([head, other]).breaks == (ChainBreak(head.seq, Fault.REWRITTEN),)
        with pytest.raises(ChainBroken, match=f"first at entry {head.seq}"):
            ledger.verify_chain([other]).raise_if_broken()

    def test_the_chain_never_forks(self, ledger: Ledger, second: Ledger) -> None:
        """Two that append at the same time come one after the other."""

        def append(to: Ledger) -> None:
            for number in range(25):
                to.audit(actor="me", action="test.done", target="kgc", detail={"n": number})

        before = ledger.audit_head().seq
        threads = [Thread(target=append, args=(to,)) for to in (ledger, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        verdict = ledger.verify_chain()
        assert (verdict.head.seq - before, verdict.breaks) == (50, ())
