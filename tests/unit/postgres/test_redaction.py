"""What PostgreSQL and its tools print loses secrets and rows, and keeps what a person needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.postgres.redaction import redact, redacted_tail

CASES = {
    "a row that breaks a check": (
        (
            'ERROR:  new row for relation "p" violates check constraint "adult"\n'
            "DETAIL:  Failing row contains (1, 987-65-4321, line one\nline two (sic)).\n"
            'CONTEXT:  COPY p, line 2: "1\t987-65-4321"'
        ),
        (
            'ERROR:  new row for relation "p" violates check constraint "adult"\n'
            "DETAIL:  Failing row contains ([redacted]).\n"
            "CONTEXT:  COPY p, line 2: [redacted]"
        ),
    ),
    "a duplicate key": (
        'ERROR:  duplicate key value violates unique constraint "one"\nDETAIL:  Key (ssn, "b")=(987-65-4321)',
        'ERROR:  duplicate key value violates unique constraint "one"\nDETAIL:  Key (ssn, "b")=([redacted]).',
    ),
    "a column of COPY": (
        'CONTEXT:  COPY public.p, line 7, column born: "31.02.1970 Smith"',
        "CONTEXT:  COPY public.p, line 7, column born: [redacted]",
    ),
    "a statement that pg_restore repeats": (
        (
            "pg_restore: error: could not execute query: ERROR:  permission denied\n"
            "Command was: CREATE USER MAPPING FOR x SERVER y OPTIONS (\n    password 'SECRETPW'\n);\n\n"
            "pg_restore: warning: errors ignored on restore: 1"
        ),
        (
            "pg_restore: error: could not execute query: ERROR:  permission denied\n"
            "Command was: [redacted]\n"
            "pg_restore: warning: errors ignored on restore: 1"
        ),
    ),
    "a value of the wrong type": (
        'ERROR:  invalid input syntax for type integer: "987-65-4321"',
        'ERROR:  invalid input syntax for type integer: "[redacted]"',
    ),
    "a value out of range": (
        'ERROR:  value "99999999999" is out of range for type integer',
        'ERROR:  value "[redacted]" is out of range for type integer',
    ),
    "broken JSON": (
        'DETAIL:  Token "Smith" is invalid.\nCONTEXT:  JSON data, line 1: {"name": Smith...',
        'DETAIL:  Token "[redacted]" is invalid.\nCONTEXT:  JSON data, line 1: [redacted]',
    ),
    "a password in a URL": (
        "could not connect to postgresql://kgc:s3cr3t!@db.example:5432/kgc?sslmode=require",
        "could not connect to postgresql://kgc:[redacted]@db.example:5432/kgc?sslmode=require",
    ),
    "a password with an at sign in a URL": (
        "postgres://kgc:p@ss@db/kgc",
        "postgres://kgc:[redacted]@db/kgc",
    ),
    "a password in a connection string": (
        "host=db password=s3cr3t user=kgc sslpassword='with blank' port=1",
        "host=db password=[redacted] user=kgc sslpassword=[redacted] port=1",
    ),
    "a literal": (
        "ALTER ROLE x PASSWORD 'SCRAM-SHA-256$4096:abc' failed",
        "ALTER ROLE x PASSWORD '[redacted]' failed",
    ),
    "a statement in a server's log": (
        "ERROR:  division by zero\nSTATEMENT:  SELECT * FROM p WHERE ssn = 987654321\n\tAND true\nLOG:  done",
        "ERROR:  division by zero\nSTATEMENT: [redacted]\nLOG:  done",
    ),
}

HARMLESS = (
    'FATAL:  password authentication failed for user "kgc"',
    'FATAL:  database "kgc" does not exist',
    'pg_dump: error: query failed: ERROR:  permission denied for table "patients"',
    "pg_dump: error: server version: 18.4; pg_dump version: 15.20",
    "the server didn't answer and the client's patience ended",
)


@pytest.mark.parametrize(("printed", "shown"), CASES.values(), ids=CASES.keys())
def test_secrets_and_rows_are_taken_out(printed: str, shown: str) -> None:
    """Each form in which a value appears is known."""
    assert redact(printed) == shown


@pytest.mark.parametrize("printed", HARMLESS)
def test_what_a_person_needs_is_kept(printed: str) -> None:
    """Names of roles, databases and tables, and versions, stay readable."""
    assert redact(printed) == printed


@given(secret=st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=5), around=st.text(max_size=30))
def test_a_known_secret_never_survives(secret: str, around: str) -> None:
    """Whatever stands around it, a secret we know is gone."""
    if secret in "[redacted]" or secret in around:
        return
    assert secret not in redact(f"{around}\n{secret}\n{around}", [secret])


def test_the_tail_keeps_the_last_lines() -> None:
    """A tool says at the end why it gave up."""
    printed = "\n".join(f"line {number}" for number in range(20))
    assert redacted_tail(printed, lines=2) == "line 18\nline 19"


def test_a_value_cut_by_the_tail_is_redacted_first() -> None:
    """Redaction sees the whole text, so that the head of a pattern outside the tail still counts."""
    printed = "DETAIL:  Failing row contains (1,\n" + "\n".join(f"secret {number}" for number in range(20)) + ")."
    assert redacted_tail(printed, lines=3) == "DETAIL:  Failing row contains ([redacted])."
