"""Airflow connections become addresses of the library, strictly."""

from __future__ import annotations

import json

import pytest

from pgtend.fleet.vaults import S3Vault, VaultSettings
from pgtend.postgres.services import UnknownConnection
from pgtend_airflow.connections import AirflowConnections, WrongConnection

KGC = {"conn_type": "postgres", "host": "db.clinic.test", "port": 5433, "schema": "kgc", "login": "pgtend"}


def define(monkeypatch: pytest.MonkeyPatch, name: str, **connection: object) -> None:
    """Define a connection by an environment variable."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def test_a_connection_becomes_an_address_with_verified_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host, port, database, role and extra go to libpq; the password stays apart; TLS is verified."""
    define(monkeypatch, "kgc", **KGC, password="secret-of-kgc", extra={"target_session_attrs": "read-write"})
    address = AirflowConnections().find("kgc")
    assert address.params["host"] == "db.clinic.test"
    assert address.params["port"] == "5433"
    assert address.params["dbname"] == "kgc"
    assert address.params["user"] == "pgtend"
    assert address.params["target_session_attrs"] == "read-write"
    assert address.params["sslmode"] == "verify-full"
    assert address.password is not None
    assert address.password.get_secret_value() == "secret-of-kgc"
    assert "secret-of-kgc" not in repr(address)


def test_a_connection_may_choose_its_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the connection says about TLS is what libpq gets."""
    define(monkeypatch, "kgc", **KGC, extra={"sslmode": "require"})
    assert AirflowConnections().find("kgc").params["sslmode"] == "require"


def test_a_mistyped_connection_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to guess which connection was meant."""
    define(monkeypatch, "heliotrope", **KGC)
    with pytest.raises(UnknownConnection) as caught:
        AirflowConnections().find("heliotrop")
    assert caught.value.message == "Airflow has no connection 'heliotrop'"
    assert "'heliotrope'" in caught.value.detail
    assert "AIRFLOW_CONN_HELIOTROP" in caught.value.hint


def test_a_setting_that_libpq_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignoring it would connect in another way than somebody meant."""
    define(monkeypatch, "kgc", **KGC, extra={"iam": True, "sslmode": "require"})
    with pytest.raises(WrongConnection, match="does not know: iam"):
        AirflowConnections().find("kgc")


def test_a_connection_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is no database."""
    define(monkeypatch, "kgc", conn_type="smtp", host="mail.clinic.test")
    with pytest.raises(WrongConnection, match="has the type 'smtp', not 'postgres'"):
        AirflowConnections().find("kgc")


def test_a_vault_takes_keys_and_address_from_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and region reach boto3; an address in the fleet file wins over the connection's."""
    extra = {"endpoint_url": "https://s3.clinic.test", "region_name": "eu-north-1"}
    define(monkeypatch, "store", conn_type="aws", login="AKIATEST", password="a-secret-key", extra=extra)
    connections = AirflowConnections()
    session = connections.aws_session("store")
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, session.region_name) == ("AKIATEST", "eu-north-1")

    from_connection = connections.completed(VaultSettings(s3=S3Vault(bucket="copies", connection="store")))
    assert from_connection.s3 is not None
    assert from_connection.s3.endpoint == "https://s3.clinic.test"
    named = VaultSettings(s3=S3Vault(bucket="copies", connection="store", endpoint="https://other.test"))
    assert connections.completed(named) == named


def test_a_vault_with_an_unknown_connection_is_refused() -> None:
    """The same error as for a database."""
    with pytest.raises(UnknownConnection, match="no connection 'nowhere'"):
        AirflowConnections().aws_session("nowhere")
