"""Turns what psycopg and libpq report into our errors, once, where the server is touched."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg

from pgtend.kernel.errors import PgtendError
from pgtend.postgres import errors as ours
from pgtend.postgres.address import Address
from pgtend.postgres.redaction import redact

_BY_SQLSTATE: dict[str, type[PgtendError]] = {
    "08": ours.ConnectionLost,
    "22": ours.RowsBroken,
    "23": ours.RowsBroken,
    "25006": ours.StandbyRefused,
    "25P03": ours.ConnectionLost,
    "28": ours.LoginRefused,
    "28P01": ours.PasswordRefused,
    "3D000": ours.NoSuchDatabase,
    "40": ours.TransactionLost,
    "42501": ours.MissingRight,
    "44": ours.RowsBroken,
    "53": ours.ServerExhausted,
    "53300": ours.TooManyConnections,
    "55P03": ours.LockedOut,
    "57014": ours.StatementCancelled,
    "57P": ours.ConnectionLost,
    "57P03": ours.ServerStarting,
    "58": ours.ServerFault,
    "F0": ours.ServerFault,
    "P": ours.RowsBroken,
    "XX": ours.ServerFault,
}

# A failed login has no SQLSTATE in libpq, only text. The first pattern that fits wins.
_BY_TEXT: tuple[tuple[re.Pattern[str], type[PgtendError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        # Of a statement that a program of PostgreSQL ran for us, only the text comes through as well.
        (r"too many open files|out of shared memory", ours.ServerExhausted),
        (r"could not (read|open) (blocks? .+ in )?file \"(base|global|pg_\w+)/", ours.ServerFault),
        (r"invalid page in block|(missing|unexpected) chunk number|data is corrupt", ours.ServerFault),
        (r"could not access status of transaction|from before relfrozenxid|invalid memory alloc", ours.ServerFault),
        (r"unsupported startup parameter", ours.PoolerInTheWay),
        (r"SSL connection is required", ours.TlsRefused),
        (r"password authentication failed|no password supplied|empty password", ours.PasswordRefused),
        (
            r"pg_hba\.conf|authentication failed|not permitted to log in|role \"[^\"]*\" does not exist",
            ours.LoginRefused,
        ),
        (r"authentication method requirement|channel binding", ours.LoginRefused),
        (r"too many (clients|connections)|connection slots are reserved|no more connections", ours.TooManyConnections),
        (r"database system is|not yet accepting connections|consistent recovery state", ours.ServerStarting),
        (r"database \".*\" is not currently accepting connections", ours.DatabaseClosed),
        (r"database \"[^\"]*\" does not exist|no such database", ours.NoSuchDatabase),
        (r"permission denied (for|to) \w+|must be (able to SET ROLE|superuser|owner of|member of)", ours.MissingRight),
        (r"due to lock timeout", ours.LockedOut),
        (r"timeout expired|connection timeout|failed to resolve|could not translate host name", ours.ServerUnreachable),
        (r"connection refused|no such file or directory\s+is the server|unreachable|no route", ours.ServerUnreachable),
        (r"certificate|\bSSL\b|\bTLS\b", ours.TlsRefused),
        (r"invalid .*(option|value|integer|port)|is not supported|requires", ours.BadParameter),
        (r"server closed the connection|connection reset|terminating connection|broken pipe", ours.ConnectionLost),
    )
)

# A server that dies takes its parallel workers first, and their leader tells it as an object in a wrong state. Its text
# is translated; the file of the server's source that raised it is not.
_OF_PARALLEL_WORKERS = "parallel.c"

_HINTS: dict[type[PgtendError], str] = {
    ours.ServerUnreachable: "Check host and port of the connection and that the server runs; "
    "see docs/runbooks/database-unreachable.md.",
    ours.TooManyConnections: "Look at pg_stat_activity for who holds the connections, "
    "or give the role a higher CONNECTION LIMIT.",
    ours.ServerStarting: "Wait: it is tried again.",
    ours.PasswordRefused: "Put the role's current password into the connection, then run `pgtend doctor`.",
    ours.LoginRefused: "Let the role in by LOGIN and a rule in pg_hba.conf; where the server says `no encryption`, "
    "that rule may ask for TLS: connect with sslmode=verify-full. Then run `pgtend doctor`.",
    ours.NoSuchDatabase: "Correct dbname in the connection, then run `pgtend doctor`.",
    ours.DatabaseClosed: "Unless somebody closed it on purpose, a restore in its place was killed just before the end: "
    "`ALTER DATABASE ... ALLOW_CONNECTIONS true` opens it again. See docs/runbooks/database-unreachable.md.",
    ours.MissingRight: "Run `pgtend doctor`: it prints the GRANT that is missing; see docs/runbooks/missing-right.md.",
    ours.LockedOut: "Look at pg_locks for who holds a lock on it: a session that waits for a strong one keeps out "
    "everybody who comes after it. See docs/runbooks/locked-out.md.",
    ours.TlsRefused: "Name the certificate of the authority that signed the server's in sslrootcert, and connect by "
    "the name the certificate is made for; see docs/runbooks/tls-refused.md.",
    ours.PoolerInTheWay: "Give the connection the server's own host and port instead of the pooler's.",
    ours.StandbyRefused: "Point the connection at the primary, for example with target_session_attrs=read-write.",
    ours.ConnectionLost: "Look into the server's log around this time; it is tried again. See "
    "docs/runbooks/database-unreachable.md.",
    ours.ServerExhausted: "Free room on the server: its log says which resource ran out. Shared memory runs out where "
    "more tables are locked at once than it has room for: raise max_locks_per_transaction there, and restart it.",
    ours.ServerFault: "Look into the server's log at once, and keep every backup you have; "
    "see docs/runbooks/server-fault.md.",
    ours.StatementCancelled: "If nobody meant to stop it, look into the server's log; it is tried again.",
    ours.TransactionLost: "Two sessions wanted the same rows; it is tried again.",
    ours.StatementRejected: "Run `pgtend doctor`: it says what the database lacks.",
    ours.RowsBroken: "Run the same statement by hand to see which rows: they are kept out of logs on purpose.",
    ours.BadParameter: "Correct the parameter in the connection; https://www.postgresql.org/docs/current/"
    "libpq-connect.html#LIBPQ-PARAMKEYWORDS lists them.",
    ours.StatementTimeout: "Raise limits.statement_timeout in the fleet file, or run it when the database is quieter.",
}

# Their messages quote values of rows, or are written by whoever wrote a trigger.
_QUOTING = (ours.RowsBroken,)


def translate(error: psycopg.Error, address: Address) -> PgtendError:
    """Say what a failure of psycopg means for us."""
    kind = _kind_of(error)
    message = _rows_message(error) if kind in _QUOTING else _plain_message(error)
    secret = address.password.get_secret_value() if address.password else ""
    return kind(
        redact(message, [secret]),
        detail=f"This was {address.place} as {address.user}{_state(error)}.",
        hint=hint_for(kind),
    )


def cause_of(error: psycopg.Error) -> psycopg.Error | None:
    """Give the error to chain, or nothing when printing it would print the content of a row."""
    return None if _kind_of(error) in _QUOTING else error


def recognise(text: str) -> type[PgtendError] | None:
    """Tell from the text of libpq or one of its tools what went wrong with a connection."""
    return next((kind for pattern, kind in _BY_TEXT if pattern.search(text)), None)


def hint_for(kind: type[PgtendError]) -> str:
    """Say what to do about a kind of failure."""
    return _HINTS[kind]


def _kind_of(error: psycopg.Error) -> type[PgtendError]:
    state = error.sqlstate
    if error.diag.source_file == _OF_PARALLEL_WORKERS:
        return ours.ConnectionLost
    if state:
        known = (state[:length] for length in range(len(state), 0, -1))
        return next((_BY_SQLSTATE[part] for part in known if part in _BY_SQLSTATE), ours.StatementRejected)
    if isinstance(error, pg.ConnectionTimeout):
        return ours.ServerUnreachable
    recognised = recognise(str(error))
    if recognised is not None:
        return recognised
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return ours.ConnectionLost
    return ours.StatementRejected


def _plain_message(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return _START.sub("", first).rstrip(".")


_START = re.compile(r"^connection (?:is bad|failed): |FATAL:\s+")


def _rows_message(error: psycopg.Error) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    diag = error.diag
    named = (("constraint", diag.constraint_name), ("column", diag.column_name), ("table", _table(diag)))
    return " ".join([words, *(f'of {what} "{name}"' for what, name in named if name)])


def _table(diag: pg.Diagnostic) -> str:
    return ".".join(part for part in (diag.schema_name, diag.table_name) if part)


def _state(error: psycopg.Error) -> str:
    return f", SQLSTATE {error.sqlstate}" if error.sqlstate else ""
