"""The table of contents of an archive: who may run which entry, read from what pg_restore lists and writes. Pure.

Rows are loaded, and indexes are built on them, by a role that is no superuser: what a table's owner planted in a check
or an index runs with that role's rights. Only the few entries that PostgreSQL gives to superusers alone go to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


class By(StrEnum):
    """Who runs an entry, and when."""

    RESTORER = "the restorer"
    SUPERUSER = "a superuser, in its place"
    LAST = "a superuser, after the rows were compared"


# Longest first, because one may begin another.
_KINDS = sorted(
    """ACCESS METHOD;ACL;ACL LANGUAGE;AGGREGATE;BLOB;BLOB METADATA;BLOBS;CAST;CHECK CONSTRAINT;COLLATION;COMMENT;
    CONSTRAINT;CONVERSION;DATABASE;DATABASE PROPERTIES;DEFAULT;DEFAULT ACL;DOMAIN;ENCODING;EVENT TRIGGER;EXTENSION;
    FK CONSTRAINT;FOREIGN DATA WRAPPER;FOREIGN TABLE;FUNCTION;INDEX;INDEX ATTACH;LARGE OBJECT;MATERIALIZED VIEW;
    MATERIALIZED VIEW DATA;OPERATOR;OPERATOR CLASS;OPERATOR FAMILY;PROCEDURAL LANGUAGE;LANGUAGE;PROCEDURE;POLICY;
    PUBLICATION;PUBLICATION TABLE;PUBLICATION TABLES IN SCHEMA;ROW SECURITY;RULE;SCHEMA;SEARCHPATH;SECURITY LABEL;
    SEQUENCE;SEQUENCE OWNED BY;SEQUENCE SET;SERVER;SHELL TYPE;STATISTICS;STATISTICS DATA;STDSTRINGS;SUBSCRIPTION;
    SUBSCRIPTION TABLE;TABLE;TABLE ATTACH;TABLE DATA;TEXT SEARCH CONFIGURATION;TEXT SEARCH DICTIONARY;
    TEXT SEARCH PARSER;TEXT SEARCH TEMPLATE;TRANSFORM;TRIGGER;TYPE;USER MAPPING;VIEW""".replace("\n    ", "").split(
        ";"
    ),
    key=len,
    reverse=True,
)
_LINE = re.compile(rf"(\d+); \d+ \d+ ({'|'.join(_KINDS)}) (.*)")
_ENTRY = re.compile(r"^-- Name: (.*?); Type: ([A-Z ]+); Schema: (.*?); Owner: .*$", re.MULTILINE)
_BY_SUPERUSER = frozenset(
    """ACCESS METHOD;CAST;EXTENSION;FOREIGN DATA WRAPPER;FOREIGN TABLE;OPERATOR CLASS;OPERATOR FAMILY;
    PROCEDURAL LANGUAGE;LANGUAGE;SERVER;SHELL TYPE;TEXT SEARCH PARSER;TEXT SEARCH TEMPLATE;TRANSFORM;
    USER MAPPING""".replace("\n    ", "").split(";")
)
_LAST = frozenset(
    """EVENT TRIGGER;PUBLICATION;PUBLICATION TABLE;PUBLICATION TABLES IN SCHEMA;SECURITY LABEL;SUBSCRIPTION;
    SUBSCRIPTION TABLE""".replace("\n    ", "").split(";")
)
KEYS = ("INDEX", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT")
"""What is built on rows, and can fail because of them."""
_RIGHTS = frozenset({"ACL", "ACL LANGUAGE", "DEFAULT ACL"})
_SAFE_LANGUAGES = frozenset({"sql", "plpgsql", "plperl", "pltcl", "plv8"})
_LANGUAGE = re.compile(r'\bLANGUAGE "?(\w+)"?')
_BODY = re.compile(r"\n    AS |\n(?:BEGIN ATOMIC|RETURN )")
_NAME = r'(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)'
_OWNERSHIP = re.compile(rf"^ALTER [A-Z ]+ (?:[^;'\n]|\"(?:[^\"\n]|\"\")*\")* OWNER TO {_NAME};$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive."""

    number: str
    kind: str
    rest: str
    """Schema, name and owner, as pg_restore lists them."""
    line: str


def entries(contents: Sequence[str]) -> tuple[Entry, ...]:
    """Read what pg_restore lists; an entry of a kind that nobody knows goes to the restorer like any other."""
    found: list[Entry] = []
    for line in contents:
        match = _LINE.match(line)
        number = line.partition(";")[0]
        found.append(Entry(number, match.group(2) if match else "", match.group(3) if match else "", line))
    return tuple(found)


def assign(entry: Entry, privileged: frozenset[str]) -> By:
    """Decide who runs an entry. `privileged` are the functions and types that only a superuser may make."""
    kind = entry.kind
    if kind == "COMMENT":
        # A comment goes with what it is about: `- EXTENSION hstore`.
        about = entry.rest.partition(" ")[2]
        kind = next((one for one in _KINDS if about.startswith(f"{one} ")), kind)
    if kind in _LAST or entry.kind in _RIGHTS:
        return By.LAST
    if kind in _BY_SUPERUSER or f"{entry.kind} {entry.rest}".rpartition(" ")[0] in privileged:
        return By.SUPERUSER
    return By.RESTORER


def privileged_entries(script: str) -> frozenset[str]:
    """Find the functions in languages that are not trusted, and the types that are made of them."""
    found: set[str] = set()
    pieces = _ENTRY.split(script)
    for name, kind, schema, body in zip(pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True):
        label = f"{kind} {schema} {name}"
        if kind in {"FUNCTION", "PROCEDURE"} and _is_privileged(body):
            found.add(label)
        elif kind == "SHELL TYPE":
            found.add(f"TYPE {schema} {name}")
    return frozenset(found)


def segments(listed: Sequence[Entry], privileged: frozenset[str]) -> tuple[tuple[By, tuple[Entry, ...]], ...]:
    """Cut what runs before the end into runs of one role each, in the order of the archive."""
    judged = [(assign(entry, privileged), entry) for entry in listed]
    kept = [(by, entry) for by, entry in judged if by is not By.LAST]
    return tuple((by, tuple(entry for _, entry in group)) for by, group in groupby(kept, key=lambda one: one[0]))


def last_ones(listed: Sequence[Entry], privileged: frozenset[str]) -> tuple[Entry, ...]:
    """List what a superuser runs after the rows were compared, event triggers at the very end."""
    late = [entry for entry in listed if assign(entry, privileged) is By.LAST]
    return tuple(sorted(late, key=lambda entry: "EVENT TRIGGER" in entry.line))


def ownerships(script: str) -> tuple[str, ...]:
    """Pick the statements that say whom things belong to; what comes last brings its own."""
    late = tuple(f"ALTER {kind} " for kind in _LAST)
    return tuple(dict.fromkeys(one for one in _OWNERSHIP.findall(script) if not one.startswith(late)))


def names_of(listed: Iterable[Entry], *kinds: str) -> frozenset[str]:
    """Name the entries of some kinds by schema and name, with a space in between."""
    return frozenset(entry.rest.rpartition(" ")[0] for entry in listed if entry.kind in kinds)


def _is_privileged(body: str) -> bool:
    head = _BODY.split(body, maxsplit=1)[0]
    languages = _LANGUAGE.findall(head)
    return " LEAKPROOF" in head or any(one not in _SAFE_LANGUAGES for one in languages)
