"""What can be wrong with indexes and with their care."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured, Outage, Refusal


class RightsMissing(ManyProblems):
    """The role may not rebuild indexes that need it."""

    code = "indexes.rights_missing"


class NoSuchIndex(Misconfigured):
    """No index and no table has the name that was asked for."""

    code = "indexes.no_such_index"


class NotNow(Outage):
    """Something else goes on in the server that a rebuild would have to wait for, or would disturb."""

    code = "indexes.not_now"


class NoRoom(Refusal):
    """The server has no room for a second copy of the index beside the first."""

    code = "indexes.no_room"


class GaveWay(Outage):
    """A rebuild was given up because the application had begun to wait for it."""

    code = "indexes.gave_way"


class WaitedTooLong(Outage):
    """A rebuild was given up because it waited for a session that did not end."""

    code = "indexes.waited_too_long"


class GivenUp(Outage):
    """A rebuild was given up because the window closed, a standby fell behind or the disk filled up."""

    code = "indexes.given_up"


class LeftoverStays(Outage):
    """What an unfinished rebuild left behind could not be removed."""

    code = "indexes.leftover_stays"


class NotRebuilt(BrokenEvidence):
    """The server said that an index was rebuilt, and it is not what it was."""

    code = "indexes.not_rebuilt"


class PlansWorse(Refusal):
    """An index was rebuilt, and the planner thinks that the statements of its table cost more than before."""

    code = "indexes.plans_worse"


class IndexDamaged(BrokenEvidence):
    """An index does not fit its table: queries that use it may give wrong answers."""

    code = "indexes.damaged"


class IndexInvalid(Refusal):
    """An index that nobody can use is kept up to date by every write."""

    code = "indexes.invalid"
