"""How much is known about a backup: each state includes the ones before it."""

from __future__ import annotations

from enum import StrEnum


class BackupState(StrEnum):
    """What was done to know that a backup is good. Shown to people as written."""

    DAMAGED = "DAMAGED"
    """Something that its manifest names is missing or has another size."""
    BROKEN = "BROKEN"
    """A drill restored it, and what came back is not what was there."""
    STORED = "STORED"
    """Its manifest is in the vault, so every object was there when it was written."""
    VERIFIED = "VERIFIED"
    """Every stored byte was read back and was what the manifest says."""
    PROVEN = "PROVEN"
    """A drill restored it and found everything identical."""

    @property
    def rank(self) -> int:
        """How far along it is."""
        return list(BackupState).index(self)

    @property
    def is_unfit(self) -> bool:
        """Whether it is known not to be good, so that nobody should get it without asking for it by name."""
        return self in {BackupState.DAMAGED, BackupState.BROKEN}

    def includes(self, other: BackupState) -> bool:
        """Tell whether at least so much is known."""
        return self.rank >= other.rank
