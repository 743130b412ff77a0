"""Which roles and tablespaces a schema needs, read from the SQL that pg_restore would run."""

from __future__ import annotations

import re

from pgtend.postgres.encodings import unquoted

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)'
_CREATED = re.compile(rf"^CREATE (ROLE|TABLESPACE) ({_NAME})", re.MULTILINE)
_SPEAKING = re.compile(
    r"^(?:ALTER|GRANT|REVOKE|CREATE POLICY|CREATE USER MAPPING|SET SESSION AUTHORIZATION).*$", re.MULTILINE
)
_AFTER = re.compile(rf"\b(?:TO|FROM|ROLE|FOR|BY|AUTHORIZATION)\s+({_NAME}(?:, ?{_NAME})*)")
_PLACED = re.compile(rf"^SET default_tablespace = ({_NAME});", re.MULTILINE)
_EACH = re.compile(_NAME)


def roles_of(global_sql: str) -> frozenset[str]:
    """Read the roles of the cluster that was backed up."""
    return frozenset(unquoted(name) for kind, name in _CREATED.findall(global_sql) if kind == "ROLE")


def roles_needed(schema_sql: str, known: frozenset[str]) -> frozenset[str]:
    """Find which of the known roles own something or have rights in a schema."""
    found: set[str] = set()
    for line in _SPEAKING.findall(schema_sql):
        for names in _AFTER.findall(line):
            found.update(unquoted(name) for name in _EACH.findall(names))
    return frozenset(found & known)


def tablespaces_needed(schema_sql: str) -> frozenset[str]:
    """Find the tablespaces that tables and indexes are placed in."""
    return frozenset(unquoted(name) for name in _PLACED.findall(schema_sql))
