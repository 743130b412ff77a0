"""How a drill that failed is told: one error for each class, so that an alert, a ledger and a person see one name."""

from __future__ import annotations

from collections.abc import Mapping

from pgtend.drill.failures import FailureClass
from pgtend.kernel.errors import BrokenEvidence, Misconfigured, PgtendError


class IsolationBroken(BrokenEvidence):
    """The restored copy could have reached something outside its sandbox."""

    code = "drill.isolation_broken"


class DrillKeyUnavailable(BrokenEvidence):
    """No private key that was given opens the backup."""

    code = "drill.key_unavailable"


class BackupCorrupt(BrokenEvidence):
    """What lies in the vault is not what was stored."""

    code = "drill.backup_corrupt"


class PlaceUnsuited(Misconfigured):
    """The place of the drill lacks what the restore needs."""

    code = "drill.environment"


class RestoreFailed(BrokenEvidence):
    """The restore did not end well."""

    code = "drill.restore_failed"


class DataMismatch(BrokenEvidence):
    """The restored rows are not the ones that were there."""

    code = "drill.data_mismatch"


class Incomplete(BrokenEvidence):
    """Something that was there is not in the restored copy."""

    code = "drill.incomplete"


class SchemaDrift(BrokenEvidence):
    """The restored schema is not the one that was there."""

    code = "drill.schema_drift"


class RoundtripBroken(BrokenEvidence):
    """A backup of the restored copy does not give the same again."""

    code = "drill.roundtrip"


class SourceCorrupt(BrokenEvidence):
    """Production holds rows that break its own rules."""

    code = "drill.source_integrity"


class DrillBlind(BrokenEvidence):
    """A copy that was damaged on purpose passed the checks."""

    code = "drill.blind"


class SmokeFailed(BrokenEvidence):
    """A question of the application got another answer than expected."""

    code = "drill.smoke_failed"


class BackupsTooOld(BrokenEvidence):
    """The newest backup is older than the target allows."""

    code = "drill.rpo_miss"


class RecoveryTooSlow(BrokenEvidence):
    """Bringing the database back takes longer than the target allows."""

    code = "drill.rto_miss"


class PlaceDrifted(Misconfigured):
    """The server of the drill sorts or stores differently from production's."""

    code = "drill.drift"


class NothingSealed(Misconfigured):
    """The backup is not encrypted: the key in escrow would seem to open it."""

    code = "drill.nothing_sealed"


class RecoveryWillBeTooSlow(Misconfigured):
    """The database grows so that bringing it back will soon take longer than the target allows."""

    code = "drill.rto_trend"


BY_CLASS: Mapping[FailureClass, type[PgtendError]] = {
    FailureClass.ISOLATION_BROKEN: IsolationBroken,
    FailureClass.KEY_UNAVAILABLE: DrillKeyUnavailable,
    FailureClass.BACKUP_CORRUPT: BackupCorrupt,
    FailureClass.ENVIRONMENT: PlaceUnsuited,
    FailureClass.RESTORE_FAILED: RestoreFailed,
    FailureClass.DATA_MISMATCH: DataMismatch,
    FailureClass.INCOMPLETE: Incomplete,
    FailureClass.SCHEMA_DRIFT: SchemaDrift,
    FailureClass.ROUNDTRIP: RoundtripBroken,
    FailureClass.SOURCE_INTEGRITY: SourceCorrupt,
    FailureClass.DRILL_BLIND: DrillBlind,
    FailureClass.SMOKE_FAILED: SmokeFailed,
    FailureClass.RPO_MISS: BackupsTooOld,
    FailureClass.RTO_MISS: RecoveryTooSlow,
    FailureClass.DRIFT: PlaceDrifted,
}
