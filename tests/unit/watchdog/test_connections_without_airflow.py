"""Airflow's connections are read without Airflow, in each of the forms that it knows, and no secret is ever said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgtend.fleet.vaults import S3Vault, VaultSettings
from pgtend.postgres.services import UnknownConnection
from pgtend.watchdog.connections import Connections, Known
from pgtend.watchdog.errors import BadConnectionFile

SECRET = "hunter2-canary"
BLOCK = {"conn_type": "smtp", "host": "mail.test", "port": 587, "login": "me", "password": SECRET}


def shown(known: Known | None) -> tuple[object, ...]:
    """Tell what a connection says."""
    assert known is not None
    assert SECRET not in repr(known)
    return (known.kind, known.host, known.port, known.login, known.password.get_secret_value())


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(BLOCK),
        f"smtp://me:{SECRET}@mail.test:587",
        json.dumps({**BLOCK, "port": "587", "extra": json.dumps({"timeout": 5})}),
    ],
)
def test_a_variable_is_read_in_each_of_its_forms(written: str) -> None:
    """As JSON and as an address."""
    connections = Connections({"AIRFLOW_CONN_MAIL": written})
    assert shown(connections.get("mail")) == ("smtp", "mail.test", 587, "me", SECRET)
    assert connections.get("other") is None


@pytest.mark.parametrize("extra", ["extra", "extra_dejson"])
def test_the_file_of_airflows_own_backend_is_read(extra: str, tmp_path: Path) -> None:
    """As blocks, as addresses, and as a list of one."""
    path = tmp_path / "connections.yaml"
    file = {
        "mail": {**BLOCK, extra: {"disable_ssl": True}},
        "chat": f"apprise://me:{SECRET}@chat.test",
        "db": [{"conn_type": "postgres", "host": "/run/pg", "schema": "kgc", "login": "tender", "password": SECRET}],
    }
    path.write_text(json.dumps(file), encoding="utf-8")
    connections = Connections({"PGTEND_CONNECTIONS_FILE": str(path)})
    known = connections.get("mail")
    assert shown(known) == ("smtp", "mail.test", 587, "me", SECRET)
    assert known is not None
    assert known.extra["disable_ssl"] is True
    assert shown(connections.get("chat"))[0] == "apprise"
    address = connections.find("db")
    assert (address.params["host"], address.database, address.user) == ("/run/pg", "kgc", "tender")


def test_a_database_that_airflow_does_not_define_is_a_libpq_service(tmp_path: Path) -> None:
    """Outside Airflow the ledger is found as the command line finds it."""
    (tmp_path / ".pg_service.conf").write_text("[ledger]\nhost=/run/pg\ndbname=reporting\nuser=me\n", encoding="utf-8")
    assert Connections({"HOME": str(tmp_path)}).find("ledger").database == "reporting"
    with pytest.raises(UnknownConnection):
        Connections({"HOME": str(tmp_path)}).find("elsewhere")


def test_a_vault_gets_its_keys_and_its_address_from_the_connection() -> None:
    """As inside Airflow."""
    block = {
        "conn_type": "aws",
        "login": "KEY",
        "password": SECRET,
        "extra": {"endpoint_url": "http://s3.test:9000", "region_name": "eu-west-1"},
    }
    connections = Connections({"AIRFLOW_CONN_STORE": json.dumps(block)})
    settings = VaultSettings(s3=S3Vault(bucket="copies", connection="store"))
    completed = connections.completed(settings)
    assert completed.s3 is not None
    assert completed.s3.endpoint == "http://s3.test:9000"
    session = connections.aws_session("store")
    assert session.region_name == "eu-west-1"
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.secret_key) == ("KEY", SECRET)


@pytest.mark.parametrize("written", [f'{{"password": "{SECRET}"', json.dumps({"extra": "{" + SECRET}), "[1]"])
def test_what_cannot_be_read_is_refused_without_repeating_it(written: str, tmp_path: Path) -> None:
    """Parsers like to quote what they stumble over."""
    with pytest.raises(BadConnectionFile) as refused:
        Connections({"AIRFLOW_CONN_MAIL": written}).require("mail").extra["x"]
    assert SECRET not in str(refused.value)
    path = tmp_path / "connections.yaml"
    path.write_text(f"a: [{SECRET}\n", encoding="utf-8")
    with pytest.raises(BadConnectionFile) as refused:
        Connections({"PGTEND_CONNECTIONS_FILE": str(path)}).require("mail")
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    with pytest.raises(BadConnectionFile, match="knows no connection"):
        Connections({}).require("mail")
