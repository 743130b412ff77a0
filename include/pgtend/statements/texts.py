"""Texts on their way from the server into the ledger: nothing of them goes on but what `scrub` leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgtend.statements.scrub import VERSION, fingerprint, scrub


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an entry as the server keeps it: it may hold anything."""

    role_oid: int
    is_toplevel: bool
    queryid: int
    role: str
    query: str


def scrubbed_texts(texts: Sequence[Text]) -> dict[str, object]:
    """Write texts as columns, without their literals."""
    scrubbed = [scrub(text.query) for text in texts]
    return {
        "scrub_version": VERSION,
        "role_oids": [text.role_oid for text in texts],
        "toplevels": [text.is_toplevel for text in texts],
        "queryids": [text.queryid for text in texts],
        "roles": [text.role for text in texts],
        "fingerprints": [fingerprint(query) for query in scrubbed],
        "queries": scrubbed,
    }
