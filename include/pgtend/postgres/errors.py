"""Errors of a server in our words: each says what to do next, and none repeats a secret or the content of a row."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal


class ServerUnreachable(Outage):
    """No server answers at this address: it is down, the name is wrong, or the network is cut."""

    code = "postgres.unreachable"


class TooManyConnections(Outage):
    """The server, the database or the role has no free connection left."""

    code = "postgres.too_many_connections"


class ServerStarting(Outage):
    """The server is starting, stopping or recovering."""

    code = "postgres.starting"


class StatementTimeout(Outage):
    """A statement took longer than the fleet file allows."""

    code = "postgres.statement_timeout"


class StatementCancelled(Outage):
    """Somebody cancelled the statement: a person, the scheduler, or a standby that had to go on."""

    code = "postgres.cancelled"


class LockedOut(Outage):
    """Another session holds a lock we need; the hint names it."""

    code = "postgres.locked_out"


class TransactionLost(Outage):
    """The server gave up our transaction in favour of another one, by deadlock or conflict."""

    code = "postgres.transaction_lost"


class ConnectionLost(Outage):
    """The connection broke while it was in use: the server went away or the network did."""

    code = "postgres.connection_lost"


class ServerExhausted(Outage):
    """The server has no disk, no memory or no other resource left for the statement."""

    code = "postgres.exhausted"


class AlreadyTended(Outage):
    """Another job holds the same promise for this database right now."""

    code = "postgres.already_tended"


class LoginRefused(Misconfigured):
    """The server does not let this role in from here."""

    code = "postgres.login_refused"


class PasswordRefused(LoginRefused):
    """The password is wrong or missing."""

    code = "postgres.password_refused"


class NoSuchDatabase(Misconfigured):
    """The server has no database of this name."""

    code = "postgres.no_such_database"


class DatabaseClosed(Misconfigured):
    """The database lets nobody in: somebody closed it, or a restore in its place was killed in the last moment."""

    code = "postgres.database_closed"


class MissingRight(Misconfigured):
    """The role lacks a right that the work needs."""

    code = "postgres.missing_right"


class TlsRefused(Misconfigured):
    """No connection that is both encrypted and verified can be made."""

    code = "postgres.tls_refused"


class BadParameter(Misconfigured):
    """A connection parameter has a value libpq does not understand."""

    code = "postgres.bad_parameter"


class StatementRejected(Misconfigured):
    """The server does not accept the statement: something it names is missing or of another kind."""

    code = "postgres.statement_rejected"


class UnsupportedServer(Misconfigured):
    """The server is older than any we support."""

    code = "postgres.unsupported_server"


class PoolerInTheWay(Refusal):
    """A connection pooler stands in the way: settings leak through it, and advisory locks lie."""

    code = "postgres.pooler_in_the_way"


class StandbyRefused(Refusal):
    """The server only lets us read, and the work has to write."""

    code = "postgres.standby_refused"


class RowsBroken(BrokenEvidence):
    """A value or a rule of the data stood in the way; which rows is not repeated here."""

    code = "postgres.rows_broken"


class UnexpectedRows(BrokenEvidence):
    """A statement gave another number of rows than it always must."""

    code = "postgres.unexpected_rows"


class ServerFault(BrokenEvidence):
    """The server reports damage or a defect of its own."""

    code = "postgres.server_fault"
