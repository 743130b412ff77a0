"""What can go wrong while statistics are made fresh."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured


class NotProved(BrokenEvidence):
    """ANALYZE said OK, but the server's own counters or statistics do not show that it happened."""

    code = "planner.not_proved"


class RightsMissing(ManyProblems):
    """The role lacks rights that ANALYZE needs; the hints are the exact GRANTs, all at once."""

    code = "planner.rights_missing"


class NoSuchTable(Misconfigured):
    """No table has the name that was asked for."""

    code = "planner.no_such_table"


class UnknownColumns(ManyProblems):
    """The fleet file wants statistics targets for columns that do not exist."""

    code = "planner.unknown_columns"
