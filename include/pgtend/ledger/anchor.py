"""Anchors of the audit: its head, put once a day where whoever can rewrite the ledger cannot rewrite it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, cast

from pgtend.kernel.digests import canonical_json
from pgtend.kernel.errors import BrokenEvidence
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.ledger.model import AuditHead, Ledger
from pgtend.vault.errors import ObjectExists
from pgtend.vault.model import Vault

_FOLDER: Final = "audit/anchors"
_LARGEST: Final = 4096


class AnchorUnreadable(BrokenEvidence):
    """What lies in the vault under the name of an anchor is none."""

    code = "ledger.anchor_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was compared with what, and where the newest anchor lies."""

    entries: int
    anchors: int
    key: str
    is_new: bool

    def __str__(self) -> str:
        where = f"anchored as {self.key}" if self.is_new else f"already anchored as {self.key}"
        return (
            f"verified {counted(self.entries, 'entry')} against {counted(self.anchors, 'anchor')}; the head is {where}"
        )


def verify_and_anchor(fleet: str, ledger: Ledger, vault: Vault, progress: Progress) -> AuditReport:
    """Compute the whole chain anew, compare it with every anchor, and anchor its head."""
    anchors = read_anchors(fleet, vault)
    progress(f"{counted(len(anchors), 'anchor')} read from {vault.place}")
    verdict = ledger.verify_chain(anchors)
    verdict.raise_if_broken()
    key = anchor_key(fleet, verdict.head)
    report = AuditReport(entries=verdict.entries, anchors=len(anchors), key=key, is_new=_put(vault, key, verdict.head))
    progress(str(report))
    return report


def read_anchors(fleet: str, vault: Vault) -> tuple[AuditHead, ...]:
    """Read every head that was ever anchored."""
    return tuple(_read(vault, found.key, int(found.size)) for found in vault.objects(anchors_folder(fleet)))


def anchors_folder(fleet: str) -> str:
    """Name the folder of a fleet's anchors."""
    return f"{_FOLDER}/{fleet}/"


def anchor_key(fleet: str, head: AuditHead) -> str:
    """Name an anchor after the entry it holds: the same entry can be anchored once only."""
    return f"{anchors_folder(fleet)}{head.seq:012d}.json"


def _put(vault: Vault, key: str, head: AuditHead) -> bool:
    try:
        vault.put_if_absent(key, canonical_json({"seq": head.seq, "hash": head.hash}))
    except ObjectExists:
        # Nothing was written down since: the anchor that is there was compared with the chain a moment ago.
        return False
    return True


def _read(vault: Vault, key: str, size: int) -> AuditHead:
    if size > _LARGEST:
        raise _unreadable(key, vault, f"it has {size} bytes")
    with vault.open(key) as stream:
        raw = stream.read(_LARGEST)
        # The last read is the one that tells whether the object is what was stored.
        while stream.read(_LARGEST):
            pass
    try:
        content = cast("dict[str, object]", json.loads(raw))
        head = AuditHead(int(str(content["seq"])), str(content["hash"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(key, vault, f"reading it ended in {type(error).__name__}") from error
    if not key.endswith(f"/{head.seq:012d}.json"):
        raise _unreadable(key, vault, f"it speaks of entry {head.seq}")
    return head


def _unreadable(key: str, vault: Vault, why: str) -> AnchorUnreadable:
    return AnchorUnreadable(
        f"the anchor {key} cannot be read",
        detail=f"In {vault.place}, {why}.",
        hint="Somebody wrote there by hand; keep everything as it is and follow docs/runbooks/audit-chain-broken.md.",
    )
