"""How a drill can fail: each class says what happened, and what has to be mended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Blame(StrEnum):
    """What has to be mended when a check fails. Shown to people as written."""

    BACKUP = "the backup is bad"
    PRODUCTION = "production itself is corrupt"
    ENVIRONMENT = "the place of the drill lacks something"
    TIME = "it is too slow or too old"
    DRILL = "the drill itself cannot be trusted"


class FailureClass(StrEnum):
    """What kind of failure it is. Kept and shown as written; a message that pages names it."""

    ISOLATION_BROKEN = "ISOLATION_BROKEN"
    KEY_UNAVAILABLE = "KEY_UNAVAILABLE"
    BACKUP_CORRUPT = "BACKUP_CORRUPT"
    ENVIRONMENT = "ENVIRONMENT"
    RESTORE_FAILED = "RESTORE_FAILED"
    DATA_MISMATCH = "DATA_MISMATCH"
    INCOMPLETE = "INCOMPLETE"
    SCHEMA_DRIFT = "SCHEMA_DRIFT"
    ROUNDTRIP = "ROUNDTRIP"
    SOURCE_INTEGRITY = "SOURCE_INTEGRITY"
    DRILL_BLIND = "DRILL_BLIND"
    SMOKE_FAILED = "SMOKE_FAILED"
    RPO_MISS = "RPO_MISS"
    RTO_MISS = "RTO_MISS"
    DRIFT = "DRIFT"

    @property
    def blame(self) -> Blame:
        """Tell what has to be mended."""
        return _BLAMES[self]

    @property
    def meaning(self) -> str:
        """Say in one phrase what happened."""
        return _MEANINGS[self]

    @property
    def rank(self) -> int:
        """Order failures: the first one explains the others, and is the one that is told."""
        return list(FailureClass).index(self)

    @property
    def runbook(self) -> str:
        """Name the page that says what to do."""
        return _RUNBOOKS.get(self, "drill-copy-differs")


_BLAMES: Mapping[FailureClass, Blame] = {
    FailureClass.ISOLATION_BROKEN: Blame.DRILL,
    FailureClass.KEY_UNAVAILABLE: Blame.ENVIRONMENT,
    FailureClass.BACKUP_CORRUPT: Blame.BACKUP,
    FailureClass.ENVIRONMENT: Blame.ENVIRONMENT,
    FailureClass.RESTORE_FAILED: Blame.BACKUP,
    FailureClass.DATA_MISMATCH: Blame.BACKUP,
    FailureClass.INCOMPLETE: Blame.BACKUP,
    FailureClass.SCHEMA_DRIFT: Blame.BACKUP,
    FailureClass.ROUNDTRIP: Blame.BACKUP,
    FailureClass.SOURCE_INTEGRITY: Blame.PRODUCTION,
    FailureClass.DRILL_BLIND: Blame.DRILL,
    FailureClass.SMOKE_FAILED: Blame.BACKUP,
    FailureClass.RPO_MISS: Blame.TIME,
    FailureClass.RTO_MISS: Blame.TIME,
    FailureClass.DRIFT: Blame.ENVIRONMENT,
}
_MEANINGS: Mapping[FailureClass, str] = {
    FailureClass.ISOLATION_BROKEN: "the restored copy could have reached something outside its sandbox",
    FailureClass.KEY_UNAVAILABLE: "no private key that was given opens the backup",
    FailureClass.BACKUP_CORRUPT: "what lies in the vault is not what was stored",
    FailureClass.ENVIRONMENT: "the place of the drill lacks what the restore needs",
    FailureClass.RESTORE_FAILED: "the restore did not end well",
    FailureClass.DATA_MISMATCH: "the restored rows are not the ones that were there",
    FailureClass.INCOMPLETE: "something that was there is not in the restored copy",
    FailureClass.SCHEMA_DRIFT: "the restored schema is not the one that was there",
    FailureClass.ROUNDTRIP: "a backup of the restored copy does not give the same again",
    FailureClass.SOURCE_INTEGRITY: "production holds rows that break its own rules",
    FailureClass.DRILL_BLIND: "a copy that was damaged on purpose passed the checks",
    FailureClass.SMOKE_FAILED: "a question of the application got another answer than expected",
    FailureClass.RPO_MISS: "the newest backup is older than the target allows",
    FailureClass.RTO_MISS: "bringing it back takes longer than the target allows",
    FailureClass.DRIFT: "the server of the drill sorts or stores differently from production's",
}
_RUNBOOKS: Mapping[FailureClass, str] = {
    FailureClass.ISOLATION_BROKEN: "drill-isolation-broken",
    FailureClass.KEY_UNAVAILABLE: "drill-key-unavailable",
    FailureClass.BACKUP_CORRUPT: "backup-damaged",
    FailureClass.ENVIRONMENT: "drill-environment",
    FailureClass.DRIFT: "drill-environment",
    FailureClass.SOURCE_INTEGRITY: "drill-source-integrity",
    FailureClass.DRILL_BLIND: "drill-blind",
    FailureClass.SMOKE_FAILED: "drill-smoke-failed",
    FailureClass.RPO_MISS: "drill-too-late",
    FailureClass.RTO_MISS: "drill-too-late",
}
