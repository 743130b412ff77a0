"""Where a database is, and as whom we enter: everything libpq needs, with the password kept apart."""

from __future__ import annotations

import getpass
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from psycopg import pq
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

_SECRETS = frozenset({"sslpassword", "oauth_client_secret"})
# Debian and Ubuntu, Red Hat, Alpine.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The way into one database, as libpq parameters; the password is held where no print or log shows it."""

    params: Mapping[str, str]
    password: SecretStr | None = None

    def __post_init__(self) -> None:
        if "password" in self.params:
            raise ValueError("the password of an address goes into its own field")

    def __repr__(self) -> str:
        """Show no parameters: the password of a private key may be among them."""
        return f"<Address {self.place} as {self.user}>"

    @property
    def is_local_socket(self) -> bool:
        """Whether every host is a Unix socket of this machine, where TLS has nothing to protect."""
        if self.params.get("hostaddr") or os.environ.get("PGHOSTADDR"):
            return False
        return all(host.startswith(("/", "@")) or not host for host in self._hosts)

    @property
    def place(self) -> str:
        """The server and the database the way a person writes them, for messages."""
        host = ",".join(host or "local socket" for host in self._hosts)
        port = self.params.get("port") or "5432"
        return f"{host}:{port}/{self.database}"

    @property
    def database(self) -> str:
        """The database's name; libpq takes the user's name where none is given."""
        return self.params.get("dbname") or self.user

    @property
    def user(self) -> str:
        """The role we log in as."""
        return self.params.get("user") or os.environ.get("PGUSER") or getpass.getuser()

    @property
    def conninfo(self) -> str:
        """A connection string without any secret, fit for the argument of a command."""
        return make_conninfo("", **{name: value for name, value in self.params.items() if name not in _SECRETS})

    @property
    def service(self) -> SecretStr | None:
        """The secrets among the parameters as a libpq service named `pgtend`, or nothing where there are none."""
        lines = [f"{name}={value}\n" for name, value in self.params.items() if name in _SECRETS]
        return SecretStr("".join(["[pgtend]\n", *lines])) if lines else None

    @property
    def passfile(self) -> SecretStr:
        """The password as the content of a libpq password file that fits any host."""
        secret = self.password.get_secret_value() if self.password else ""
        escaped = secret.replace("\\", "\\\\").replace(":", "\\:")
        return SecretStr(f"*:*:*:*:{escaped}\n")

    def to(self, **params: str) -> Address:
        """Give the same way in with some parameters changed, such as another database."""
        return replace(self, params={**self.params, **params})

    @property
    def _hosts(self) -> list[str]:
        return (self.params.get("host") or os.environ.get("PGHOST") or "").split(",")


class AddressBook(Protocol):
    """Whoever knows where a connection id of the fleet file leads."""

    def find(self, connection: str) -> Address:
        """Look up a connection id, or raise UnknownConnection."""
        ...


def protected(address: Address) -> Address:
    """Demand a verified certificate of everything that is not a local socket, unless the connection says otherwise.

    libpq's own default (`prefer`) falls back to clear text whenever somebody on the way asks for it.
    """
    if address.is_local_socket or "sslmode" in address.params:
        return address
    strict = address.to(sslmode="verify-full")
    return strict if _names_roots(address) else strict.to(sslrootcert=_system_roots())


def _names_roots(address: Address) -> bool:
    """Whether somebody already said which authorities to trust."""
    return bool(
        address.params.get("sslrootcert")
        or os.environ.get("PGSSLROOTCERT")
        or (Path.home() / ".postgresql" / "root.crt").exists()
    )


def _system_roots() -> str:
    """Find the authorities this machine trusts.

    As a file where there is one: `system` is unknown before libpq 16, which a client tool of PostgreSQL 15 may use, and
    the libpq inside psycopg's wheel looks for it where the machine it was built on had it.
    """
    own = (os.environ.get("SSL_CERT_FILE", ""), ssl.get_default_verify_paths().cafile or "")
    return next((path for path in (*own, *_BUNDLES) if path and Path(path).is_file()), "system")


def known_parameters() -> frozenset[str]:
    """List the connection parameters that this libpq understands."""
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
