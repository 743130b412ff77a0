"""Addresses outside Airflow: libpq service names, or a connection string written out without its password."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import did_you_mean
from pgtend.postgres.address import Address, protected


class UnknownConnection(Misconfigured):
    """Nothing by this name says where a database is."""

    code = "postgres.unknown_connection"


class PasswordInTheOpen(Misconfigured):
    """A connection string carries its password, where files, process lists and logs would show it."""

    code = "postgres.password_in_the_open"


class BadConnection(Misconfigured):
    """A connection is written in a way libpq does not understand."""

    code = "postgres.bad_connection"


class LibpqServices:
    """The address book of a shell: `pg_service.conf`, the file every PostgreSQL tool reads."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def find(self, connection: str) -> Address:
        """Look up a service name, or read a connection string."""
        if "=" in connection or connection.startswith(("postgresql://", "postgres://")):
            params = _written_out(connection)
            service = params.pop("service", "") or self._environment.get("PGSERVICE")
            # libpq would look it up later, and until then nobody would know whether this leads over a network.
            return protected(_address({**(self._service(service) if service else {}), **params}))
        return protected(_address(self._service(connection)))

    def _service(self, name: str) -> dict[str, str]:
        services = self._services()
        if name not in services:
            raise UnknownConnection(
                f"no libpq service is named '{name}'",
                detail=f"Looked in {', '.join(str(path) for path in self._files())}; {_choices(name, services)}.",
                hint=f"Write a section [{name}] with host, port, dbname and user into ~/.pg_service.conf, "
                "and the password into ~/.pgpass.",
            )
        return services[name]

    def _services(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for path in self._files():
            for name, params in _read_services(path).items():
                found.setdefault(name, params)
        return found

    def _files(self) -> list[Path]:
        own = self._environment.get("PGSERVICEFILE")
        home = Path(self._environment.get("HOME") or Path.home())
        shared = Path(self._environment.get("PGSYSCONFDIR") or "/etc/postgresql-common")
        return [Path(own) if own else home / ".pg_service.conf", shared / "pg_service.conf"]


def _choices(connection: str, services: Mapping[str, object]) -> str:
    return did_you_mean(connection, services) if services else "no service is defined there"


def _read_services(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#",), strict=False, default_section="", empty_lines_in_values=False
    )
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - the documented way to keep the case
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        # From None: the parser quotes the line it stumbled over, and that line may hold a password.
        raise BadConnection(
            f"{path} is not a service file",
            detail=f"Reading it ended in {type(error).__name__}.",
            hint="Each service is a section [name] with lines key=value.",
        ) from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _address(params: Mapping[str, str]) -> Address:
    secret = params.get("password")
    return Address(
        params={key: value for key, value in params.items() if key != "password"},
        password=SecretStr(secret) if secret is not None else None,
    )


def _written_out(connection: str) -> dict[str, str]:
    try:
        params = conninfo_to_dict(connection)
    except psycopg.ProgrammingError:
        # From None: libpq quotes the part it did not understand, and that part may be a password.
        raise BadConnection(
            "a connection string is written in a way libpq does not understand",
            hint="Write host=... port=... dbname=... user=..., or better a libpq service name.",
        ) from None
    if params.get("password"):
        raise PasswordInTheOpen(
            "a connection string carries its password",
            hint="Put the password into ~/.pgpass, or define a libpq service and name it here.",
        )
    return {key: str(value) for key, value in params.items() if value is not None}
