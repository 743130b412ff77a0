"""People who were erased: recorded without their data, so that nobody comes back with an old copy.

What is kept is a random salt and the SHA-256 of the salt and of what named the person. Whoever has the record can test
whether a value is the one that was erased, and cannot read it out of the record. Numbers that were given one after the
other can be tried one by one, so the record lies in the vault, beside the months it is about, and nowhere else.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from pgtend.archive.errors import UnreadableMonth
from pgtend.archive.manifest import ROOT
from pgtend.kernel.digests import canonical_json
from pgtend.kernel.names import new_run_id
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import Composable, column, expression, text
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB


class Erasure(BaseModel):
    """One person, by a digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    erasure_id: str
    salt: str
    digest: str
    tables: tuple[str, ...]
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a row is about; it appears in no print and in no statement."""

    value: SecretStr

    def digested(self, tables: tuple[str, ...], by: str) -> Erasure:
        """Say who it is without saying it."""
        salt = secrets.token_hex(16)
        digest = hashlib.sha256(f"{salt}{self.value.get_secret_value()}".encode()).hexdigest()
        now = utc_now()
        return Erasure(erasure_id=new_run_id(now), salt=salt, digest=digest, tables=tables, at=now, by=by)


def matching(person: str, erased: Erasure) -> Composable:
    """Say that a row is about this person; the server, and its log, never see who that is."""
    return expression(
        "encode(sha256(convert_to({salt} || {person}::text, 'UTF8')), 'hex') = {digest}",
        salt=text(erased.salt),
        person=column(person),
        digest=text(erased.digest),
    )


def keep_erasure(vault: Vault, fleet: str, database: str, erased: Erasure) -> None:
    """Keep the record where a restored database finds it again."""
    vault.put_if_absent(
        f"{_folder(fleet, database)}{erased.erasure_id}.json", canonical_json(erased.model_dump(mode="json"))
    )


def read_erasures(vault: Vault, fleet: str, database: str) -> tuple[Erasure, ...]:
    """List everybody who was erased from a database, in the order in which it was done."""
    found = sorted(vault.objects(_folder(fleet, database)), key=lambda one: one.key)
    return tuple(_read(vault, one.key) for one in found)


def _read(vault: Vault, key: str) -> Erasure:
    with vault.open(key) as stream:
        content = b"".join(iter(lambda: stream.read(MIB), b""))
    try:
        return Erasure.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableMonth(
            f"'{key}' cannot be read as the record of an erasure",
            detail="Without it, somebody who was erased could come back; so nothing is brought back.",
            hint="See docs/runbooks/archive-cold-broken.md.",
        ) from error


def _folder(fleet: str, database: str) -> str:
    return f"{ROOT}/{fleet}/{database}/erasures/"
