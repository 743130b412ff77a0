"""An address knows the way into a database and keeps the password apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from pgtend.postgres.address import Address, protected
from pgtend.postgres.services import BadConnection, LibpqServices, PasswordInTheOpen, UnknownConnection


@pytest.fixture
def services(tmp_path: Path) -> LibpqServices:
    """Give an address book with two services."""
    (tmp_path / "services").write_text(
        "# the fleet\n"
        "[kgc]\nhost=db.example\nport=5433\ndbname=kgc\nuser=pgtend\npassword=s3cr=t#1\n\n"
        "[scribemed]\nhost=/run/postgresql\ndbname=scribemed\n",
        encoding="utf-8",
    )
    return LibpqServices({"PGSERVICEFILE": str(tmp_path / "services"), "PGSYSCONFDIR": str(tmp_path)})


def test_a_service_becomes_an_address(services: LibpqServices) -> None:
    """The section's parameters are taken as they are, the password apart from them."""
    address = services.find("kgc")
    assert address.params["host"] == "db.example"
    assert address.place == "db.example:5433/kgc"
    assert address.user == "pgtend"
    assert address.password == SecretStr("s3cr=t#1")
    assert "s3cr" not in repr(address)


def test_a_service_by_tcp_gets_a_verified_connection(services: LibpqServices) -> None:
    """Nobody has to ask for TLS."""
    address = services.find("kgc")
    assert address.params["sslmode"] == "verify-full"
    assert address.params["sslrootcert"]


def test_a_local_socket_gets_no_tls(services: LibpqServices) -> None:
    """A socket of this machine has nothing to protect."""
    address = services.find("scribemed")
    assert address.is_local_socket
    assert "sslmode" not in address.params


@pytest.mark.parametrize("written", ["service=kgc dbname=other", "postgresql:///other?service=kgc"])
def test_a_service_in_a_connection_string_is_as_safe_as_by_its_name(services: LibpqServices, written: str) -> None:
    """It leads over the network: taken for a local socket it would be entered without a verified certificate."""
    address, named = services.find(written), services.find("kgc")
    assert not address.is_local_socket
    assert address.params == {**named.params, "dbname": "other"}
    assert address.password == named.password


def test_a_service_of_the_environment_is_seen_too(tmp_path: Path, services: LibpqServices) -> None:
    """What a connection string leaves out libpq takes from there."""
    environment = {"PGSERVICEFILE": str(tmp_path / "services"), "PGSYSCONFDIR": str(tmp_path), "PGSERVICE": "kgc"}
    assert LibpqServices(environment).find("dbname=other").params == services.find("service=kgc dbname=other").params


def test_an_address_of_the_environment_is_no_local_socket(
    services: LibpqServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGHOSTADDR is where libpq goes, whatever the name of the host is."""
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.7")
    assert services.find("scribemed").params["sslmode"] == "verify-full"


def test_a_service_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """It is the person's file, and no defect of ours."""
    (tmp_path / "services").write_bytes(b"[kgc]\nuser=m\xfcller\n")
    with pytest.raises(BadConnection):
        LibpqServices({"PGSERVICEFILE": str(tmp_path / "services")}).find("kgc")


def test_an_unknown_service_names_the_nearest(services: LibpqServices) -> None:
    """A typing error is answered with the name that was meant."""
    with pytest.raises(UnknownConnection) as caught:
        services.find("scribmed")
    assert "did you mean 'scribemed'" in caught.value.detail
    assert "[scribmed]" in caught.value.hint


def test_a_missing_service_file_says_where_it_looked(tmp_path: Path) -> None:
    """Nobody has to guess which file is read."""
    book = LibpqServices({"PGSERVICEFILE": str(tmp_path / "none"), "PGSYSCONFDIR": str(tmp_path)})
    with pytest.raises(UnknownConnection) as caught:
        book.find("kgc")
    assert str(tmp_path / "none") in caught.value.detail
    assert "no service is defined there" in caught.value.detail


def test_a_damaged_service_file_is_refused_without_its_text(tmp_path: Path) -> None:
    """The line that cannot be read may hold a password."""
    (tmp_path / "services").write_text("password=s3cret\n", encoding="utf-8")
    with pytest.raises(BadConnection) as caught:
        LibpqServices({"PGSERVICEFILE": str(tmp_path / "services")}).find("kgc")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("written", ["host=db dbname=kgc password=s3cret", "postgresql://kgc:s3cret@db/kgc"])
def test_a_password_in_a_connection_string_is_refused(services: LibpqServices, written: str) -> None:
    """A fleet file is read by many, so no password is accepted from it."""
    with pytest.raises(PasswordInTheOpen) as caught:
        services.find(written)
    assert "s3cret" not in str(caught.value)
    assert "pgpass" in caught.value.hint


@pytest.mark.parametrize("written", ["host=db dbname=kgc user=me", "postgresql://me@db/kgc"])
def test_a_connection_string_is_an_address(services: LibpqServices, written: str) -> None:
    """Both forms of libpq are understood."""
    address = services.find(written)
    assert (address.params["host"], address.database, address.user) == ("db", "kgc", "me")


def test_a_connection_string_that_cannot_be_read_is_not_repeated(services: LibpqServices) -> None:
    """What libpq stumbles over may be a password."""
    with pytest.raises(BadConnection) as caught:
        services.find("host=db s3cret")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("params", "is_local"),
    [
        ({"host": "/run/postgresql"}, True),
        ({"host": "@abstract"}, True),
        ({"host": "localhost"}, False),
        ({"host": "/run/a,db.example"}, False),
        ({"host": "/run/a", "hostaddr": "10.0.0.1"}, False),
    ],
)
def test_only_a_socket_is_local(params: dict[str, str], is_local: bool) -> None:  # noqa: FBT001 - a column of the table above
    """One host by TCP among several is enough to need TLS."""
    assert Address(params=params).is_local_socket is is_local


def test_what_a_connection_says_about_tls_is_kept() -> None:
    """An explicit choice is the user's."""
    address = Address(params={"host": "db", "sslmode": "require"})
    assert protected(address) == address


def test_a_named_authority_is_kept() -> None:
    """Our default never replaces the authority of the connection."""
    address = protected(Address(params={"host": "db", "sslrootcert": "/etc/ours.crt"}))
    assert address.params["sslrootcert"] == "/etc/ours.crt"


def test_a_password_among_the_parameters_is_a_mistake() -> None:
    """It would show up wherever an address is printed."""
    with pytest.raises(ValueError, match="its own field"):
        Address(params={"password": "x"})


def test_the_password_file_escapes_what_libpq_splits_at() -> None:
    """Colons and backslashes are part of a password."""
    address = Address(params={}, password=SecretStr(r"a:b\c"))
    assert address.passfile.get_secret_value() == "*:*:*:*:a\\:b\\\\c\n"


def test_the_connection_string_holds_no_password() -> None:
    """It is made for the arguments of commands, which everybody on the machine can read."""
    address = Address(params={"host": "db", "dbname": "it is"}, password=SecretStr("s3cret"))
    assert address.conninfo == "host=db dbname='it is'"


def test_the_password_of_a_private_key_is_a_secret_too() -> None:
    """It leaves the connection string, and travels to a client tool as a service in a file of memory."""
    address = Address(params={"host": "db", "dbname": "kgc", "user": "me", "sslpassword": "s3cret"})
    assert address.conninfo == "host=db dbname=kgc user=me"
    assert address.service is not None
    assert address.service.get_secret_value() == "[pgtend]\nsslpassword=s3cret\n"
    assert repr(address) == "<Address db:5432/kgc as me>"
