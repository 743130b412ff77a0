"""Whatever keeps us out of a database ends in an error of the right family that says what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg import sql
from pydantic import SecretStr

from bed.clusters import LiveDatabase, statement, tools_of
from bed.faulty_network import faulty_network
from bed.pretended_pooler import pretended_pooler
from pgtend.fleet.model import Limits
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.address import Address
from pgtend.postgres.command import started
from pgtend.postgres.errors import (
    BadParameter,
    ConnectionLost,
    DatabaseClosed,
    LoginRefused,
    MissingRight,
    NoSuchDatabase,
    PasswordRefused,
    PoolerInTheWay,
    ServerStarting,
    ServerUnreachable,
    TooManyConnections,
)
from pgtend.postgres.session import open_session
from pgtend.postgres.throwaway import ThrowawayServer

SOON = Limits(connect_timeout=timedelta(seconds=2))


def refused(address: Address) -> PgtendError:
    """Try to connect, and give the error."""
    with pytest.raises(PgtendError) as caught, open_session(address, SOON, application="pgtend:test"):
        pass
    return caught.value


def test_a_wrong_password_is_said_without_the_password(database: LiveDatabase) -> None:
    """The role and the place are named, the password is not."""
    wrong = database.server.role(database.owner.user, SecretStr("Tr0ub4dor&3"), database.name)
    error = refused(wrong)
    assert type(error) is PasswordRefused
    assert "password authentication failed" in error.message
    assert "pgtend doctor" in error.hint
    assert "Tr0ub4dor" not in str(error)


def test_a_missing_password_is_a_refused_password(database: LiveDatabase) -> None:
    """A connection without a password is told apart from a server that is down."""
    assert type(refused(Address(params=database.owner.params))) is PasswordRefused


def test_an_unknown_role_is_a_refused_login(server: ThrowawayServer) -> None:
    """The server does not say whether the role or the password is wrong, and neither do we."""
    assert type(refused(server.role("nobody_at_all", SecretStr("x"), "postgres"))) is PasswordRefused


def test_a_role_without_login_is_refused(database: LiveDatabase) -> None:
    """A role that may not log in is our configuration."""
    error = refused(database.new_role("resting", "NOLOGIN"))
    assert type(error) is LoginRefused
    assert "not permitted to log in" in error.message


def test_a_rule_of_pg_hba_is_a_refused_login() -> None:
    """Not being let in from here is told apart from a wrong password."""
    with ThrowawayServer(tools=tools_of(18), access_rules="local all banned reject") as own:
        error = refused(own.role("banned", SecretStr("x"), "postgres"))
    assert type(error) is LoginRefused
    assert "pg_hba.conf rejects connection" in error.message


def test_an_unknown_database_is_named(server: ThrowawayServer) -> None:
    """The name of the database is wrong: trying again is useless."""
    error = refused(server.superuser("gone"))
    assert type(error) is NoSuchDatabase
    assert 'database "gone" does not exist' in error.message


@pytest.mark.pg(">= 18")
def test_a_database_that_lets_nobody_in_is_told_from_one_that_is_not_there(database: LiveDatabase) -> None:
    """A restore in its place that was killed in its last moment leaves it so, and the hint says how to open it."""
    with database.session(database.server.superuser()) as session:
        closing = "ALTER DATABASE {name} ALLOW_CONNECTIONS false"
        session.run(statement(closing), name=sql.Identifier(database.name))
        error = refused(database.superuser)
        session.run(statement(closing.replace("false", "true")), name=sql.Identifier(database.name))
    assert type(error) is DatabaseClosed
    assert "ALLOW_CONNECTIONS true" in error.hint


def test_a_database_without_the_right_to_connect_asks_for_a_grant(database: LiveDatabase) -> None:
    """CONNECT was revoked from everybody."""
    stranger = database.new_role("stranger")
    with database.session() as session:
        session.run(statement("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"), name=sql.Identifier(database.name))
    assert type(refused(stranger)) is MissingRight


def test_a_role_at_its_limit_is_an_outage(database: LiveDatabase) -> None:
    """All connections of the role are in use: later one will be free."""
    narrow = database.new_role("narrow", "LOGIN CONNECTION LIMIT 1")
    with database.session(narrow):
        assert type(refused(narrow)) is TooManyConnections


def test_a_closed_port_is_unreachable() -> None:
    """Nothing listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = str(unused.getsockname()[1])
        error = refused(Address(params={"host": "127.0.0.1", "port": port, "dbname": "x", "user": "x"}))
    assert type(error) is ServerUnreachable
    assert "database-unreachable" in error.hint
    assert f"127.0.0.1:{port}/x as x" in error.detail


def test_an_unknown_host_is_unreachable() -> None:
    """The name of the host cannot be resolved."""
    assert type(refused(Address(params={"host": "no.such.host.invalid", "user": "x"}))) is ServerUnreachable


def test_a_missing_socket_is_unreachable() -> None:
    """The server on this machine is stopped."""
    assert type(refused(Address(params={"host": "/nowhere", "user": "x"}))) is ServerUnreachable


def test_a_bad_parameter_is_misconfigured() -> None:
    """A value libpq does not know is not tried again."""
    assert type(refused(Address(params={"host": "/nowhere", "user": "x", "sslmode": "perhaps"}))) is BadParameter


@pytest.fixture
def silent_port() -> Generator[int]:
    """Give a port where connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_server_that_never_answers_is_unreachable(silent_port: int) -> None:
    """The connection times out after what the fleet file allows."""
    error = refused(Address(params={"host": "127.0.0.1", "port": str(silent_port), "user": "x", "sslmode": "disable"}))
    assert type(error) is ServerUnreachable
    assert "timeout" in error.message


def test_a_server_that_recovers_is_an_outage(server: ThrowawayServer) -> None:
    """A server that is just recovering lets us in a moment later."""
    with ThrowawayServer(tools=server.tools) as own:
        own.stop()
        (own.data / "standby.signal").touch()
        recovering = replace(own._postgres(), argv=(*own._postgres().argv, "-c", "hot_standby=off"))
        with started(recovering):
            error = refused_when_up(own)
    assert type(error) is ServerStarting


def refused_when_up(server: ThrowawayServer) -> PgtendError:
    """Wait for the socket, then give what the server says."""
    while isinstance(error := refused(server.superuser()), ServerUnreachable):
        time.sleep(0.02)
    return error


def test_a_connection_that_breaks_is_lost(database: LiveDatabase) -> None:
    """A reset in the middle of an answer is an outage, and the session says so."""
    with faulty_network(database.server.port) as network:
        through = database.owner.to(host="127.0.0.1", port=str(network.port), sslmode="disable")
        with open_session(through, SOON, application="pgtend:test") as session:
            network.cut_after = 0
            with pytest.raises(ConnectionLost):
                session.run(statement("SELECT 1"))


@pytest.mark.parametrize(
    ("habits", "sign"),
    [
        ({"invents_keys": True}, "where 4242424 was promised"),
        ({"drops_options": True}, "our settings were dropped"),
    ],
)
def test_a_pooler_is_refused_by_either_sign(database: LiveDatabase, habits: dict[str, bool], sign: str) -> None:
    """A cancel key of its own or a dropped setting is enough to refuse maintenance through a pooler."""
    with pretended_pooler(database.server.port, **habits) as pooler:
        error = refused(database.owner.to(host="127.0.0.1", port=str(pooler.port), sslmode="disable"))
    assert type(error) is PoolerInTheWay
    assert sign in error.detail


def test_a_proxy_that_changes_nothing_is_no_pooler(database: LiveDatabase) -> None:
    """A TCP load balancer carries our settings and the server's own key, and is let through."""
    with pretended_pooler(database.server.port) as pooler:
        through = database.owner.to(host="127.0.0.1", port=str(pooler.port), sslmode="disable")
        with open_session(through, SOON, application="pgtend:test") as session:
            assert session.facts.database == database.name
