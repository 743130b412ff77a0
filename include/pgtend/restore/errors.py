"""Why a restore was not begun, or did not end as it must."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured, Refusal


class TargetExists(Refusal):
    """There is a database of this name already, and nothing is ever restored over one."""

    code = "restore.target_exists"


class BadName(Misconfigured):
    """No database can have this name: PostgreSQL would cut it short, or the next restore would take it for remains."""

    code = "restore.bad_name"


class TargetMissing(Misconfigured):
    """There is no database of this name that could be replaced."""

    code = "restore.target_missing"


class OlderServer(Refusal):
    """The server is older than the one the backup was taken from."""

    code = "restore.older_server"


class NothingChosen(Misconfigured):
    """What was asked for is not in the backup."""

    code = "restore.nothing_chosen"


class TargetUnsuited(ManyProblems):
    """The server lacks something that the backup needs."""

    code = "restore.target_unsuited"


class KeyNeeded(Misconfigured):
    """The backup is sealed, and no private key was named."""

    code = "restore.key_needed"


class NotConfirmed(Refusal):
    """Replacing a database needs its name typed, and what was typed is another."""

    code = "restore.not_confirmed"


class StillInUse(Refusal):
    """Sessions in the database do not end, so that it cannot change places with the restored one."""

    code = "restore.still_in_use"


class NotIdentical(BrokenEvidence):
    """What was restored differs from what was backed up."""

    code = "restore.not_identical"
