"""The arithmetic of the audit: what is hashed, and what a chain that was touched looks like.

PostgreSQL computes the same in `reporting.audit_hash()`. This is the second opinion: it trusts nothing in the server
but the columns, so whoever replaces that function there gains nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pgtend.ledger.model import AuditEntry, AuditHead, ChainBreak, ChainVerdict, Fact, Fault

BEFORE_THE_FIRST = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def detail_text(detail: Mapping[str, Fact]) -> str:
    """Write facts exactly as PostgreSQL prints a jsonb: shorter keys first, a blank after each colon and comma."""
    plain = {clean(key): clean(value) if isinstance(value, str) else value for key, value in detail.items()}
    ordered = dict(sorted(plain.items(), key=lambda item: (len(item[0].encode()), item[0].encode())))
    return json.dumps(ordered, ensure_ascii=False, separators=(", ", ": "))


def clean(text: str) -> str:
    """Take out what PostgreSQL cannot store: zero characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def entry_hash(entry: AuditEntry) -> bytes:
    """Compute what the hash of an entry must be from the hash before and all of its fields."""
    moment = (entry.at - _EPOCH) // _MICROSECOND
    fields = (str(entry.seq), str(moment), entry.login, entry.actor, entry.action, entry.target, entry.detail)
    return hashlib.sha256(entry.prev + b"".join(map(_field, fields))).digest()


def sealed(entry: AuditEntry) -> AuditEntry:
    """Give an entry the hash it must have."""
    return replace(entry, hash=entry_hash(entry))


def head_of(entry: AuditEntry) -> AuditHead:
    """Name an entry by its number and its hash."""
    return AuditHead(entry.seq, entry.hash.hex())


EMPTY = AuditHead(0, BEFORE_THE_FIRST.hex())


def judge_chain(entries: Iterable[AuditEntry], anchors: Sequence[AuditHead] = ()) -> ChainVerdict:
    """Follow a chain from its beginning, and compare it with heads that were kept where nobody could touch them."""
    seen: dict[int, set[str]] = {}
    for anchor in anchors:
        seen.setdefault(anchor.seq, set()).add(anchor.hash)
    breaks: list[ChainBreak] = []
    count, head = 0, EMPTY
    for entry in entries:
        fault = _fault(entry, head)
        if fault is None and seen.get(entry.seq, set()) - {entry.hash.hex()}:
            fault = Fault.REWRITTEN
        if fault is not None:
            breaks.append(ChainBreak(entry.seq, fault))
        count, head = count + 1, head_of(entry)
    breaks += [ChainBreak(seq, Fault.CUT_OFF) for seq in sorted(seen) if seq > head.seq]
    return ChainVerdict(count, head, tuple(breaks))


def _fault(entry: AuditEntry, before: AuditHead) -> Fault | None:
    if entry.seq != before.seq + 1:
        return Fault.GAP
    if entry.prev.hex() != before.hash:
        return Fault.UNLINKED
    return Fault.CHANGED if entry_hash(entry) != entry.hash else None


def _field(text: str) -> bytes:
    raw = text.encode()
    return b"%d:%s," % (len(raw), raw)
