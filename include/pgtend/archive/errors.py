"""What can go wrong while old rows are archived."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured, Outage, Refusal


class NotArchivable(ManyProblems):
    """The catalogue of the database forbids to archive a table by its rule; each reason says what would cure it."""

    code = "archive.not_archivable"


class NotYetApproved(Refusal):
    """Nobody approved the rule of a table yet, or the rule changed since somebody did."""

    code = "archive.not_approved"


class NoSuchRule(Misconfigured):
    """The fleet file has no archive rule for this table."""

    code = "archive.no_such_rule"


class NoSuchMonth(Misconfigured):
    """This month of the table is not archived, or is not where it was looked for."""

    code = "archive.no_such_month"


class RowsAstray(BrokenEvidence):
    """A batch deleted another number of rows than the archive took; nothing of it was committed."""

    code = "archive.rows_astray"


class SealBroken(BrokenEvidence):
    """An archived month does not hold what the ledger says was moved into it."""

    code = "archive.seal_broken"


class HashedOtherwise(Refusal):
    """The ledger of an archive was written by a version of pgtend that made its checksums in another way."""

    code = "archive.hashed_otherwise"


class ColdBroken(BrokenEvidence):
    """A month read back from the vault does not hold what the ledger says."""

    code = "archive.cold_broken"


class UnreadableMonth(BrokenEvidence):
    """The manifest or the Parquet file of a month is not what pgtend wrote."""

    code = "archive.unreadable_month"


class NobodyToSealFor(Misconfigured):
    """Months shall go to the vault, and the fleet file names no public key to seal them for."""

    code = "archive.nobody_to_seal_for"


class KeyNeeded(Misconfigured):
    """A month is in the vault only, and opening it needs a private key."""

    code = "archive.key_needed"


class KeyTaken(Refusal):
    """An application wrote rows anew whose keys are archived: they cannot leave, or their month cannot be sealed."""

    code = "archive.key_taken"


class Held(Refusal):
    """A hold is on this month: it stays as it is."""

    code = "archive.held"


class TooBusy(Outage):
    """The server had no room for this work: others were kept waiting again and again."""

    code = "archive.too_busy"


class NoPersonColumn(Misconfigured):
    """The rule of a table does not say which column names the person a row is about."""

    code = "archive.no_person_column"


class TableChanged(Outage):
    """Somebody changed the columns of a table, or pointed a foreign key at it, while its rows left."""

    code = "archive.table_changed"
