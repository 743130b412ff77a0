"""A connection that leaves the machine is encrypted and verified, or it is not made."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.certificates import Certificates, make_certificates
from bed.clusters import asked, tools_of
from pgtend.fleet.model import Limits
from pgtend.postgres.address import Address, protected
from pgtend.postgres.errors import LoginRefused, TlsRefused
from pgtend.postgres.session import open_session
from pgtend.postgres.throwaway import SUPERUSER, ThrowawayServer

IS_ENCRYPTED = asked("SELECT ssl::text AS word FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


@pytest.fixture(scope="module")
def certificates() -> Generator[Certificates]:
    """Give certificates for localhost by an authority that nobody knows."""
    with tempfile.TemporaryDirectory() as folder:
        yield make_certificates(Path(folder), "localhost")


@pytest.fixture(scope="module")
def tls_server(certificates: Certificates) -> Generator[ThrowawayServer]:
    """Give a server that speaks TLS; it takes clear text too, as most do."""
    files = {"server.crt": certificates.certificate, "server.key": certificates.key}
    with ThrowawayServer(tools=tools_of(18), settings={"ssl": "on"}, files=files, listens_on_tcp=True) as server:
        yield server


def by_tcp(server: ThrowawayServer, **params: str) -> Address:
    """Give the way in by TCP, with what an address gets when its connection says nothing about TLS."""
    return protected(server.tcp_role(SUPERUSER, server.password, "postgres").to(**params))


def encryption(address: Address) -> str:
    """Connect, and let the server say whether the connection is encrypted."""
    with open_session(address, Limits(), application="pgtend:test") as session:
        return session.row(IS_ENCRYPTED).word


def test_an_unknown_authority_is_refused(tls_server: ThrowawayServer) -> None:
    """A certificate that nobody we trust signed ends the connection, and the hint says how to trust it."""
    with pytest.raises(TlsRefused, match="certificate verify failed") as caught:
        encryption(by_tcp(tls_server, host="localhost"))
    assert "sslrootcert" in caught.value.hint


def test_a_named_authority_is_accepted(tls_server: ThrowawayServer, certificates: Certificates) -> None:
    """With the authority named in the connection, the session is encrypted."""
    assert encryption(by_tcp(tls_server, host="localhost", sslrootcert=str(certificates.authority))) == "true"


def test_a_certificate_for_another_host_is_refused(tls_server: ThrowawayServer, certificates: Certificates) -> None:
    """The authority is right and the name is not: somebody else may hold that certificate."""
    with pytest.raises(TlsRefused, match="does not match host name"):
        encryption(by_tcp(tls_server, host="127.0.0.1", sslrootcert=str(certificates.authority)))


def test_a_server_without_tls_is_never_spoken_to_in_clear_text(server: ThrowawayServer) -> None:
    """An address that says nothing about TLS does not fall back to an open connection."""
    with pytest.raises(TlsRefused, match="does not support SSL"):
        encryption(by_tcp(server, host="127.0.0.1"))


def test_clear_text_has_to_be_asked_for(server: ThrowawayServer) -> None:
    """A connection that says `sslmode=disable` means it."""
    assert encryption(by_tcp(server, sslmode="disable")) == "false"


def test_a_server_that_demands_tls_is_told_apart_from_a_wrong_password() -> None:
    """A rule of pg_hba may let in encrypted connections only: the hint says how to make one."""
    with (
        ThrowawayServer(tools=tools_of(15), listens_on_tcp=True, access_rules="hostnossl all all all reject") as own,
        pytest.raises(LoginRefused, match="no encryption") as caught,
    ):
        encryption(by_tcp(own, sslmode="disable"))
    assert "sslmode=verify-full" in caught.value.hint
