"""Airflow connections as the library wants them: an address for a database, a boto3 session for a vault."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, cast

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret
from pydantic import SecretStr

from pgtend.fleet.vaults import VaultSettings
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.names import nearest
from pgtend.postgres.address import Address, known_parameters, protected
from pgtend.postgres.services import UnknownConnection
from pgtend.vault.agekeys import PrivateKeys, parse_keys
from pgtend_airflow.pipelines import CONNECTION_PREFIX, connections_in_environment

if TYPE_CHECKING:  # boto3 costs half a second, and only a vault on S3 needs it
    import boto3
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

_POSTGRES: Final = ("postgres", "postgresql")


class WrongConnection(Misconfigured):
    """An Airflow connection has a type or a setting that we cannot use."""

    code = "airflow.wrong_connection"


class AirflowConnections:
    """The address book inside Airflow: its connections, wherever they are kept (environment, backend, UI)."""

    def __init__(self, known: Collection[str] = ()) -> None:
        self._known = frozenset(known)

    def find(self, connection: str) -> Address:
        """Look up a connection of type `postgres`; what stands in its extra goes to libpq as it is."""
        found = self._get(connection)
        if found.conn_type not in _POSTGRES:
            raise WrongConnection(
                f"the Airflow connection '{connection}' has the type '{found.conn_type}', not 'postgres'",
                hint=f"Change the type of '{connection}' under Admin > Connections, or name another in the fleet file.",
            )
        main = {"host": found.host, "port": found.port, "dbname": found.schema, "user": found.login}
        params = {key: str(value) for key, value in {**_extra(connection, found), **main}.items() if value}
        secret = found.password
        if secret:
            mask_secret(secret)
        return protected(Address(params=params, password=SecretStr(secret) if secret else None))

    def private_keys(self, connection: str) -> PrivateKeys:
        """Read the private keys that a connection holds as its password, one a line."""
        secret = self._get(connection).password or ""
        for line in filter(None, (line.strip() for line in secret.splitlines())):
            mask_secret(line)
        return parse_keys(secret.splitlines(), f"the password of the Airflow connection '{connection}'")

    def aws_session(self, connection: str) -> boto3.Session:
        """Open a boto3 session from a connection of type `aws`; without one, with the identity of the machine."""
        return self._aws(connection).get_session()

    def completed(self, settings: VaultSettings) -> VaultSettings:
        """Fill in the S3 server's address from the connection: the provider's sessions forget it."""
        if settings.s3 is None or settings.s3.endpoint or not settings.s3.connection:
            return settings
        endpoint = self._aws(settings.s3.connection).conn_config.get_service_endpoint_url("s3")
        return settings.model_copy(update={"s3": settings.s3.model_copy(update={"endpoint": endpoint})})

    def _aws(self, connection: str) -> AwsBaseHook:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook  # noqa: PLC0415 - see the top

        if connection:
            self._get(connection)
        return AwsBaseHook(aws_conn_id=connection or None)

    def _get(self, connection: str) -> Connection:
        try:
            return BaseHook.get_connection(connection)
        except AirflowNotFoundException as error:
            raise self._unknown(connection) from error

    def _unknown(self, connection: str) -> UnknownConnection:
        near = nearest(connection, (self._known | connections_in_environment()) - {connection})
        return UnknownConnection(
            f"Airflow has no connection '{connection}'",
            detail=f"The nearest name we know of is '{near}'." if near else "",
            hint=f"Add it under Admin > Connections, in your secrets backend, or as "
            f"{CONNECTION_PREFIX}{connection.upper()}; see docs/runbooks/unknown-connection.md.",
        )


def _extra(name: str, connection: Connection) -> dict[str, object]:
    extra = cast("dict[str, object]", connection.extra_dejson)
    known = known_parameters() - {"password"}
    # Ignoring a setting would change where or how we connect without anybody noticing.
    if strange := sorted(set(extra) - known):
        raise WrongConnection(
            f"the Airflow connection '{name}' has extra settings that libpq does not know: {', '.join(strange)}",
            hint="Keep only libpq's own parameters in the extra field, such as sslmode, sslrootcert or options.",
        )
    return extra
