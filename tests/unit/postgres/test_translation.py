"""Every failure of a server has a family, and says what to do."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, PgtendError, Refusal, family_of
from pgtend.postgres.address import Address
from pgtend.postgres.translation import _BY_SQLSTATE, _BY_TEXT, hint_for, recognise, translate

HERE = Address(params={"host": "db.example", "dbname": "kgc", "user": "pgtend"})

FAMILIES = {
    pg.DeadlockDetected: ("postgres.transaction_lost", Outage),
    pg.SerializationFailure: ("postgres.transaction_lost", Outage),
    pg.AdminShutdown: ("postgres.connection_lost", Outage),
    pg.CannotConnectNow: ("postgres.starting", Outage),
    pg.DiskFull: ("postgres.exhausted", Outage),
    pg.OutOfMemory: ("postgres.exhausted", Outage),
    pg.TooManyConnections: ("postgres.too_many_connections", Outage),
    pg.LockNotAvailable: ("postgres.locked_out", Outage),
    pg.QueryCanceled: ("postgres.cancelled", Outage),
    pg.InsufficientPrivilege: ("postgres.missing_right", Misconfigured),
    pg.UndefinedTable: ("postgres.statement_rejected", Misconfigured),
    pg.FeatureNotSupported: ("postgres.statement_rejected", Misconfigured),
    pg.ReadOnlySqlTransaction: ("postgres.standby_refused", Refusal),
    pg.UniqueViolation: ("postgres.rows_broken", BrokenEvidence),
    pg.InvalidTextRepresentation: ("postgres.rows_broken", BrokenEvidence),
    pg.RaiseException: ("postgres.rows_broken", BrokenEvidence),
    pg.DataCorrupted: ("postgres.server_fault", BrokenEvidence),
    pg.IndexCorrupted: ("postgres.server_fault", BrokenEvidence),
    pg.IoError: ("postgres.server_fault", BrokenEvidence),
}

TEXTS = {
    'failed: FATAL:  password authentication failed for user "x"': "postgres.password_refused",
    'FATAL:  pg_hba.conf rejects connection for host "10.0.0.1", user "x", no encryption': "postgres.login_refused",
    'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", database "y"': "postgres.login_refused",
    'FATAL:  role "x" is not permitted to log in': "postgres.login_refused",
    'FATAL:  Peer authentication failed for user "x"': "postgres.login_refused",
    'FATAL:  database "y" does not exist': "postgres.no_such_database",
    'FATAL:  database "y" is not currently accepting connections': "postgres.database_closed",
    "FATAL:  sorry, too many clients already": "postgres.too_many_connections",
    "FATAL:  remaining connection slots are reserved for roles with SUPERUSER": "postgres.too_many_connections",
    "FATAL:  the database system is starting up": "postgres.starting",
    "FATAL:  the database system is shutting down": "postgres.starting",
    "FATAL:  the database system is not yet accepting connections": "postgres.starting",
    "failed: SSL error: certificate verify failed": "postgres.tls_refused",
    'server certificate for "a" does not match host name "b"': "postgres.tls_refused",
    "failed: server does not support SSL, but SSL was required": "postgres.tls_refused",
    'root certificate file "/x" does not exist': "postgres.tls_refused",
    "failed: Connection refused\n\tIs the server running on that host?": "postgres.unreachable",
    "failed: No such file or directory\n\tIs the server running locally?": "postgres.unreachable",
    "connection timeout expired": "postgres.unreachable",
    "failed: Network is unreachable": "postgres.unreachable",
    "failed: No route to host": "postgres.unreachable",
    "server closed the connection unexpectedly": "postgres.connection_lost",
    'invalid sslmode value: "perhaps"': "postgres.bad_parameter",
    'ERROR:  permission denied for schema "private"': "postgres.missing_right",
    'ERROR:  could not read blocks 0..0 in file "base/5/16387": Input/output error': "postgres.server_fault",
    'ERROR:  could not read block 7 in file "pg_tblspc/1/PG_15_202209061/5/2": read only 0': "postgres.server_fault",
    'ERROR:  could not open file "base/5/16387": Too many open files in system': "postgres.exhausted",
    "pg_restore: error: could not execute query: ERROR:  out of shared memory\nHINT:  You might": "postgres.exhausted",
    'ERROR:  could not open file "base/16384/16400": No such file or directory': "postgres.server_fault",
    'ERROR:  invalid page in block 3 of relation "base/16384/16400"': "postgres.server_fault",
    "ERROR:  missing chunk number 0 for toast value 16405 in pg_toast_16400": "postgres.server_fault",
    "ERROR:  unexpected chunk number 4 (expected 3) for toast value 1": "postgres.server_fault",
    "ERROR:  compressed pglz data is corrupt": "postgres.server_fault",
    "ERROR:  could not access status of transaction 3735928559": "postgres.server_fault",
    "ERROR:  invalid memory alloc request size 18446744073709551613": "postgres.server_fault",
    "ERROR:  found xmin 500 from before relfrozenxid 730": "postgres.server_fault",
}


@pytest.mark.parametrize(("kind", "expected"), FAMILIES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_failure_with_a_sqlstate_has_a_family(
    kind: type[psycopg.Error], expected: tuple[str, type[PgtendError]]
) -> None:
    """The scheduler retries what may pass, and a person is told about the rest."""
    told = translate(kind("text"), HERE)
    assert (told.code, family_of(told)) == expected
    assert "db.example:5432/kgc as pgtend" in told.detail


@pytest.mark.parametrize(("text", "code"), TEXTS.items())
def test_a_failed_login_is_recognised_by_its_text(text: str, code: str) -> None:
    """No SQLSTATE comes with a connection that was never made."""
    kind = recognise(text)
    assert kind is not None
    assert kind.code == code


def test_an_unknown_failure_of_a_connection_is_an_outage() -> None:
    """A server that speaks another language is not called misconfigured."""
    assert translate(psycopg.OperationalError("Verbindung weg"), HERE).code == "postgres.connection_lost"


def test_every_kind_says_what_to_do() -> None:
    """An error without a hint leaves a person alone."""
    kinds = {*_BY_SQLSTATE.values(), *(kind for _, kind in _BY_TEXT)}
    assert [kind for kind in kinds if not hint_for(kind)] == []


def test_the_text_of_a_trigger_is_not_repeated() -> None:
    """Whoever wrote the function may have put a row into its message."""
    told = translate(pg.RaiseException("patient 987-65-4321 is dead"), HERE)
    assert told.message == "raise exception"
    assert "987" not in str(told)
