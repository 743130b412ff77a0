"""The options that the three scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo.databases.roster import FLEET, read_secrets, with_password


def parser(description: str) -> argparse.ArgumentParser:
    """Start a parser with the options of a connection and of a choice of databases."""
    options = argparse.ArgumentParser(description=description)
    where = options.add_mutually_exclusive_group(required=True)
    where.add_argument("--service", help="a libpq service of a superuser on the server")
    where.add_argument("--conninfo", help="libpq parameters without a password: 'host=/run/postgresql user=postgres'")
    options.add_argument("--secrets", type=Path, metavar="FILE", help="JSON, role -> password, rights 0600")
    options.add_argument("--database", nargs="+", choices=FLEET, default=list(FLEET), metavar="NAME", dest="databases")
    return options


def conninfo_from(options: argparse.Namespace, secrets: dict[str, str]) -> str:
    """Put together the connection parameters; the password comes from the secrets file or from libpq's own places."""
    conninfo = f"service={options.service}" if options.service else str(options.conninfo)
    return with_password(conninfo, secrets)


def secrets_from(options: argparse.Namespace) -> dict[str, str]:
    """Read the secrets file, if one was named."""
    return read_secrets(options.secrets)
