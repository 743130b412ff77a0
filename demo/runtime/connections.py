"""How Airflow, and a shell without Airflow, reach everything: the same ids in both, secrets in files of mode 0600."""

from __future__ import annotations

import configparser
import io
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from demo.runtime.cluster import Cluster
from demo.runtime.places import Places, write_private
from demo.runtime.ports import Ports
from demo.runtime.secret_words import SecretWords
from demo.runtime.stores import Site, sites


@dataclass(frozen=True)
class PostgresConnection:
    """One database, and the role that enters it."""

    name: str
    database: str
    role: str


def airflow_connections(
    databases: tuple[PostgresConnection, ...], cluster: Cluster, ports: Ports, words: SecretWords
) -> dict[str, str]:
    """Write every connection as the environment variable in which Airflow looks for it."""
    connections: dict[str, Mapping[str, object]] = {
        database.name: postgres_connection(database, cluster, words) for database in databases
    }
    for site in sites(ports):
        connections[f"vault_{site.name}"] = s3_connection(site, words)
        connections[f"vault_{site.name}_keeper"] = s3_connection(site, words, "keeper")
    connections["pgtend_mail"] = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": ports.smtp,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "pgtend@demo.invalid"},
    }
    hook = {"path": f"json://127.0.0.1:{ports.alerts}/webhook", "tag": "all"}
    connections["pgtend_chat"] = {"conn_type": "apprise", "extra": {"config": hook}}
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}


def postgres_connection(database: PostgresConnection, cluster: Cluster, words: SecretWords) -> dict[str, object]:
    """Describe a database in Airflow's words."""
    parameters = cluster.parameters(database.role, database.database)
    return {
        "conn_type": "postgres",
        "host": parameters["host"],
        "port": cluster.port,
        "schema": database.database,
        "login": database.role,
        "password": words.password_of(database.role),
        "extra": {name: parameters[name] for name in ("sslmode", "sslrootcert")},
    }


def s3_connection(site: Site, words: SecretWords, user: str = "writer") -> dict[str, object]:
    """Describe an S3 site in Airflow's words."""
    return {
        "conn_type": "aws",
        "login": words[f"s3_{site.name}_{user}_key"],
        "password": words[f"s3_{site.name}_{user}_secret"],
        "extra": {
            "endpoint_url": site.url,
            "region_name": site.region,
            # The profile carries the endpoint into sessions that are made from this connection.
            "profile_name": f"vault_{site.name}",
            "config_kwargs": {"s3": {"addressing_style": "path"}},
        },
    }


def write_shell_files(
    places: Places,
    databases: tuple[PostgresConnection, ...],
    cluster: Cluster,
    ports: Ports,
    words: SecretWords,
) -> None:
    """Write what `. .demo/env` needs: libpq services, AWS profiles, and where the fleet file is."""
    services = configparser.ConfigParser()
    passwords: list[str] = []
    for database in databases:
        services[database.name] = {
            **cluster.parameters(database.role, database.database),
            "passfile": str(places.state / "pgpass"),
        }
        password = words.password_of(database.role)
        passwords.append(f"127.0.0.1:{cluster.port}:*:{database.role}:{password}")
    write_private(places.state / "pg_service.conf", written(services))
    write_private(places.state / "pgpass", "\n".join(passwords) + "\n")
    write_private(places.state / "aws_config", written(aws_profiles(ports)))
    write_private(places.state / "aws_credentials", written(aws_keys(ports, words)))
    write_private(places.shell, shell_lines(places))


def aws_profiles(ports: Ports) -> configparser.ConfigParser:
    """Describe the S3 sites as profiles of the AWS tools."""
    profiles = configparser.ConfigParser()
    for site in sites(ports):
        for name in (f"vault_{site.name}", f"vault_{site.name}_keeper"):
            profiles[f"profile {name}"] = {
                "region": site.region,
                "endpoint_url": site.url,
                "s3": "\naddressing_style = path",
            }
    return profiles


def aws_keys(ports: Ports, words: SecretWords) -> configparser.ConfigParser:
    """Write the keys of these profiles."""
    keys = configparser.ConfigParser()
    for site in sites(ports):
        named = {"writer": "", "reader": "_reader", "keeper": "_keeper"}
        for user, ending in named.items():
            profile = f"vault_{site.name}{ending}"
            keys[profile] = {
                "aws_access_key_id": words[f"s3_{site.name}_{user}_key"],
                "aws_secret_access_key": words[f"s3_{site.name}_{user}_secret"],
            }
    return keys


def written(parser: configparser.ConfigParser) -> str:
    """Write an ini file as libpq and the AWS tools read it: no spaces around the sign."""
    text = io.StringIO()
    parser.write(text, space_around_delimiters=False)
    return text.getvalue()


def shell_lines(places: Places) -> str:
    """Write the lines for a shell."""
    variables = {
        "PGTEND_FLEET": places.fleet,
        "PGTEND_KEY_FILE": places.key("operations"),
        "PGTEND_SIGNING_KEY_FILE": places.signing_key,
        "PGSERVICEFILE": places.state / "pg_service.conf",
        "AWS_CONFIG_FILE": places.state / "aws_config",
        "AWS_SHARED_CREDENTIALS_FILE": places.state / "aws_credentials",
    }
    lines = [f"export {name}={shlex.quote(str(value))}" for name, value in variables.items()]
    path = f'export PATH={shlex.quote(str(places.root / ".venv" / "bin"))}:"$PATH"'
    return "\n".join(["# Written by `make demo`. In a shell: . .demo/env && pgtend plan analyze kgc", *lines, path, ""])
