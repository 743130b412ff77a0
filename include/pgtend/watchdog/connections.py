"""Airflow's connections without Airflow: from its environment variables, or from the file of its local secrets backend.

So the watchdog needs no second copy of any secret, and works while no part of Airflow does. What is not found there is
looked for where the command line looks: libpq services and AWS profiles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from pydantic import SecretStr

from pgtend.fleet.vaults import VaultSettings
from pgtend.postgres.address import Address, known_parameters, protected
from pgtend.postgres.services import LibpqServices
from pgtend.vault.model import Patience, Vault
from pgtend.vault.open import aws_profiles, open_vault
from pgtend.watchdog.errors import BadConnectionFile

if TYPE_CHECKING:
    import boto3

PREFIX: Final = "AIRFLOW_CONN_"
FILE_VARIABLE: Final = "PGTEND_CONNECTIONS_FILE"
IMPATIENT: Final = Patience(
    connect=timedelta(seconds=5), answer=timedelta(seconds=15), total=timedelta(seconds=20), attempts=3
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One connection, as Airflow defines it. The password shows itself nowhere."""

    name: str
    kind: str
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    extra: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)


class Connections:
    """Every connection that can be known without Airflow."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, name: str) -> Known | None:
        """Find a connection, or nothing when it is defined elsewhere."""
        written = self._environment.get(f"{PREFIX}{name.upper()}")
        if written is not None:
            return _parsed(name, written)
        path = self._environment.get(FILE_VARIABLE)
        block = _blocks(Path(path)).get(name) if path else None
        if isinstance(block, list):
            block = cast("list[object]", block)[0] if block else None
        return _parsed(name, block) if block is not None else None

    def require(self, name: str) -> Known:
        """Find a connection that only Airflow's own definition can give."""
        found = self.get(name)
        if found is None:
            raise BadConnectionFile(
                f"the watchdog knows no connection '{name}'",
                detail=f"It reads {PREFIX}{name.upper()} and the file that {FILE_VARIABLE} names.",
                hint="Define it there; connections of Airflow's own database cannot be read without Airflow.",
            )
        return found

    def find(self, connection: str) -> Address:
        """Find the way to a database, as the address book of a shell or of Airflow does."""
        known = self.get(connection)
        if known is None:
            return LibpqServices(self._environment).find(connection)
        main = {"host": known.host, "port": known.port, "dbname": known.schema, "user": known.login}
        extra = {key: value for key, value in known.extra.items() if key in known_parameters() - {"password"}}
        params = {key: str(value) for key, value in {**extra, **main}.items() if value}
        secret = known.password.get_secret_value()
        return protected(Address(params=params, password=SecretStr(secret) if secret else None))

    def aws_session(self, connection: str) -> boto3.Session:
        """Open a session for a vault on S3."""
        known = self.get(connection) if connection else None
        if known is None:
            return aws_profiles(connection)
        import boto3  # noqa: PLC0415 - half a second, and folders need none of it

        return boto3.Session(
            aws_access_key_id=known.login or None,
            aws_secret_access_key=known.password.get_secret_value() or None,
            region_name=_text(known.extra, "region_name") or None,
        )

    def vault(self, settings: VaultSettings) -> Vault:
        """Open a vault that is given up soon when it does not answer: there is a next round."""
        return open_vault(self.completed(settings), self.aws_session, patience=IMPATIENT)

    def completed(self, settings: VaultSettings) -> VaultSettings:
        """Fill in the S3 server's address, which stands in the connection as often as in the fleet file."""
        known = self.get(settings.s3.connection) if settings.s3 and settings.s3.connection else None
        if settings.s3 is None or settings.s3.endpoint or known is None:
            return settings
        endpoint = _text(known.extra, "endpoint_url")
        return settings.model_copy(update={"s3": settings.s3.model_copy(update={"endpoint": endpoint or None})})


def _blocks(path: Path) -> Mapping[str, object]:
    try:
        content = cast("object", yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise _bad(f"the file of connections cannot be read: {os.strerror(error.errno or 0).lower()}") from error
    except (yaml.YAMLError, UnicodeDecodeError):
        # From None: a parser quotes the line it stumbled over, and that line may hold a password.
        raise _bad("the file of connections is no YAML") from None
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _parsed(name: str, written: object) -> Known:
    """Read a connection in any of the forms that Airflow knows: a block, JSON, or an address."""
    if isinstance(written, str):
        if not written.lstrip().startswith("{"):
            return _from_address(name, written.strip())
        try:
            written = cast("object", json.loads(written))
        except ValueError:
            raise _bad(f"the connection '{name}' is no JSON") from None
    if not isinstance(written, dict):
        raise _bad(f"the connection '{name}' is neither a block nor an address")
    block = cast("dict[str, object]", written)
    return Known(
        name=name,
        kind=str(block.get("conn_type") or ""),
        host=str(block.get("host") or ""),
        port=_number(name, block.get("port")),
        schema=str(block.get("schema") or ""),
        login=str(block.get("login") or ""),
        password=SecretStr(str(block.get("password") or "")),
        extra=_extra(name, block.get("extra_dejson") or block.get("extra") or {}),
    )


def _from_address(name: str, written: str) -> Known:
    parts = urlsplit(written)
    if not parts.scheme:
        raise _bad(f"the connection '{name}' is neither JSON nor an address")
    query = dict(parse_qsl(parts.query))
    packed = query.pop("__extra__", "")
    return Known(
        name=name,
        kind=parts.scheme.replace("-", "_"),
        host=unquote(parts.hostname or ""),
        port=_number(name, _port(parts.netloc)),
        schema=unquote(parts.path.removeprefix("/")),
        login=unquote(parts.username or ""),
        password=SecretStr(unquote(parts.password or "")),
        extra={**query, **_extra(name, packed or {})},
    )


def _extra(name: str, written: object) -> Mapping[str, object]:
    if isinstance(written, str):
        try:
            written = cast("object", json.loads(written))
        except ValueError:
            raise _bad(f"the extra of connection '{name}' is no JSON") from None
    return cast("dict[str, object]", written) if isinstance(written, dict) else {}


def _port(place: str) -> str:
    """Take the port off, where one is written: behind the last colon that stands in no brackets."""
    host = place.rpartition("@")[2].rpartition("]")[2]
    return host.rpartition(":")[2] if ":" in host else ""


def _number(name: str, written: object) -> int | None:
    if not written:
        return None
    if not str(written).isdecimal():
        raise _bad(f"the port of connection '{name}' is no number")
    return int(str(written))


def _text(extra: Mapping[str, object], name: str) -> str:
    value = extra.get(name)
    return value if isinstance(value, str) else ""


def _bad(what: str) -> BadConnectionFile:
    return BadConnectionFile(what, hint=f"Each is defined as in Airflow: {PREFIX}<NAME>, or a block in the file.")
