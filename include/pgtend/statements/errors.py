"""What can go wrong while statements are read."""

from __future__ import annotations

from pgtend.kernel.errors import ManyProblems, Misconfigured, Outage, Refusal


class StatementsNotCounted(ManyProblems):
    """The server does not count statements, or does not show them to us; the hints are the exact statements to run."""

    code = "statements.not_counted"


class LedgerCannotCount(Misconfigured):
    """Nights of statements need a ledger in a database: a folder cannot compare counters."""

    code = "statements.ledger_is_a_folder"


class NightIsOver(Refusal):
    """The night was closed by a later reading; the server shows only the present."""

    code = "statements.night_is_over"


class ResetWhileReading(Outage):
    """Somebody reset the counters at the moment in which they were read; nothing was kept."""

    code = "statements.reset_while_reading"


class LoggingNotSet(Misconfigured):
    """The server does not let us set what it logs about slow statements; the hint is the exact statement to run."""

    code = "statements.logging_not_set"
