"""What can go wrong with the memory of the fleet."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal


class LedgerUnreachable(Outage):
    """The ledger does not answer, so nothing can be written down, and what cannot be written down is not done."""

    code = "ledger.unreachable"


class LedgerNotMigrated(Misconfigured):
    """The ledger lacks migrations that this version of pgtend needs."""

    code = "ledger.not_migrated"


class LedgerTooNew(Misconfigured):
    """The ledger was migrated by a newer version of pgtend than this one."""

    code = "ledger.too_new"


class LedgerRefused(Misconfigured):
    """The role we log in as may not use the ledger."""

    code = "ledger.refused"


class LedgerUnsuited(Misconfigured):
    """The database cannot be a ledger: its encoding or the version of its server does not fit."""

    code = "ledger.unsuited"


class RolesMissing(Misconfigured):
    """The ledger's roles do not exist, and the role that migrates may not make them."""

    code = "ledger.roles_missing"


class MigrationChanged(Refusal):
    """A migration that was applied is no longer the file it was, so nobody knows what the ledger looks like."""

    code = "ledger.migration_changed"


class MigrationGap(Refusal):
    """A migration is missing between two others."""

    code = "ledger.migration_gap"


class KeepTooShort(Misconfigured):
    """The ledger was told to forget what is younger than it must keep."""

    code = "ledger.keep_too_short"


class ChainBroken(BrokenEvidence):
    """Entries of the audit were changed, removed or put in another order after they were written."""

    code = "ledger.chain_broken"


class FolderDamaged(BrokenEvidence):
    """A file of the folder ledger holds something that was never written there by us."""

    code = "ledger.folder_damaged"
