"""The arithmetic of the audit: one entry has one hash, and whatever is done to a chain afterwards shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pgtend.ledger.chain import BEFORE_THE_FIRST, clean, detail_text, entry_hash, head_of, judge_chain, sealed
from pgtend.ledger.errors import ChainBroken
from pgtend.ledger.model import AuditEntry, AuditHead, ChainBreak, Fault

FIRST = AuditEntry(
    seq=1,
    at=datetime(2026, 11, 21, 14, 0, 0, 1, tzinfo=UTC),
    login="tender",
    actor="me",
    action="test.done",
    target="kgc",
    detail='{"n": 1}',
    prev=BEFORE_THE_FIRST,
    hash=b"",
)


def chain_of(length: int) -> list[AuditEntry]:
    """Make a chain that holds."""
    entries = [sealed(FIRST)]
    for seq in range(2, length + 1):
        entries.append(sealed(replace(FIRST, seq=seq, prev=entries[-1].hash)))
    return entries


def test_the_hash_of_an_entry_can_be_computed_by_hand() -> None:
    """`(head -c 32 /dev/zero; printf '1:1,16:1795269600000001,6:tender,2:me,...') | sha256sum` gives the same."""
    assert entry_hash(FIRST).hex() == "9bad1e9c3a6e029f8b9effeeb87d6fa0ef2fd2b22a878c90f0036d1dca6f4d0c"


def test_facts_are_written_as_postgresql_prints_them() -> None:
    """Shorter keys first, counted in bytes; a blank after each colon and comma; characters as they are."""
    written = detail_text({"bb": True, "é": "ü", "a": None, "ccc": 3, "z": 'q"\n'})
    assert written == '{"a": null, "z": "q\\"\\n", "bb": true, "é": "ü", "ccc": 3}'


def test_what_postgresql_cannot_store_is_taken_out() -> None:
    """Zero characters and halves of surrogate pairs would make the append fail, and with it the work."""
    assert clean("a\0b\ud800c") == "ab?c"


def test_a_chain_that_nobody_touched_holds() -> None:
    """An empty one too."""
    entries = chain_of(5)
    assert judge_chain(entries, [head_of(entries[2])]).breaks == ()
    assert judge_chain([]).head == AuditHead(0, "0" * 64)


@pytest.mark.parametrize("change", ["login", "actor", "action", "target", "detail"])
def test_a_changed_field_shows(change: str) -> None:
    """Each field is part of the hash."""
    entries = chain_of(4)
    entries[1] = replace(entries[1], **{change: "forged"})
    assert judge_chain(entries).breaks == (ChainBreak(2, Fault.CHANGED),)


def test_a_moved_moment_shows() -> None:
    """Even by a microsecond."""
    entries = chain_of(4)
    entries[1] = replace(entries[1], at=FIRST.at.replace(microsecond=2))
    assert judge_chain(entries).breaks == (ChainBreak(2, Fault.CHANGED),)


def test_text_moved_from_one_field_to_the_next_shows() -> None:
    """Lengths are hashed too: `ab` and `c` are not `a` and `bc`."""
    one = replace(FIRST, actor="ab", action="c")
    assert entry_hash(one) != entry_hash(replace(FIRST, actor="a", action="bc"))


def test_an_entry_forged_with_a_fitting_hash_shows_at_the_next_one() -> None:
    """Whoever computes the hash anew breaks the link."""
    entries = chain_of(4)
    entries[1] = sealed(replace(entries[1], actor="forged"))
    assert judge_chain(entries).breaks == (ChainBreak(3, Fault.UNLINKED),)


def test_a_removed_entry_shows() -> None:
    """In the middle and at the beginning."""
    entries = chain_of(4)
    assert judge_chain([entries[0], *entries[2:]]).breaks == (ChainBreak(3, Fault.GAP),)
    assert judge_chain(entries[1:]).breaks == (ChainBreak(2, Fault.GAP),)


def test_two_entries_that_changed_places_show() -> None:
    """The order is part of the chain."""
    one, two, three, four = chain_of(4)
    assert [found.fault for found in judge_chain([one, three, two, four]).breaks] == [Fault.GAP] * 3


def test_entries_cut_off_at_the_end_show_only_against_an_anchor() -> None:
    """That is what anchors are for."""
    entries = chain_of(4)
    assert judge_chain(entries[:3]).breaks == ()
    assert judge_chain(entries[:3], [head_of(entries[3])]).breaks == (ChainBreak(4, Fault.CUT_OFF),)


def test_a_chain_written_anew_shows_only_against_an_anchor() -> None:
    """A whole new chain holds by itself; two anchors that disagree cannot both be right."""
    real = chain_of(4)
    forged = [sealed(replace(real[0], actor="forged"))]
    assert judge_chain(forged).breaks == ()
    assert judge_chain(forged, [head_of(real[0])]).breaks == (ChainBreak(1, Fault.REWRITTEN),)
    assert judge_chain(forged, [head_of(real[0]), head_of(forged[0])]).breaks == (ChainBreak(1, Fault.REWRITTEN),)


def test_a_broken_chain_pages_someone_and_names_where() -> None:
    """The message names the entry, the detail says what is wrong with each, the hint names the runbook."""
    entries = chain_of(4)
    with pytest.raises(ChainBroken) as caught:
        judge_chain([entries[0], *entries[2:]]).raise_if_broken()
    assert caught.value.message == "the audit was tampered with, first at entry 3"
    assert "entry 3: its number does not follow the one before it" in caught.value.detail
    assert "docs/runbooks/audit-chain-broken.md" in caught.value.hint
