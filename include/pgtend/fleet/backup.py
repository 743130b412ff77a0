"""How a database is backed up: when, for whose keys, and how thoroughly it is looked at again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated, Self, TypeAlias, cast

from pydantic import BeforeValidator, Field, Strict, model_validator

from pgtend.fleet.retention import CopyRules, RetentionRules
from pgtend.fleet.schedules import Cron, default_schedule
from pgtend.fleet.settings import Count, Kind, Settings, Size, Slug, Span, Switch, refusal
from pgtend.fleet.window import Window
from pgtend.kernel.sizes import Bytes

_PUBLIC_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_USUAL_START = time(2)


class ReadBack(StrEnum):
    """How much of a backup is read again from the vault before it counts."""

    FULL = "full"
    SAMPLE = "sample"


def _read_public_key(value: object) -> object:
    if isinstance(value, str) and not _PUBLIC_KEY.fullmatch(value):
        if value.upper().startswith("AGE-SECRET-KEY-"):
            raise refusal(
                "this is a private key, and whoever can read the file could now read every backup",
                "make a new pair with `pgtend keys new`, and write the public one here: it begins with age1",
            )
        raise refusal("this is no public key of age", "it begins with age1; `pgtend keys new` makes a pair")
    return value


PublicKeyText: TypeAlias = Annotated[
    str,
    Strict(),
    Kind("public key"),
    BeforeValidator(_read_public_key),
    Field(json_schema_extra={"pattern": f"^{_PUBLIC_KEY.pattern}$"}),
]


def _schedule_in_window(so_far: Mapping[str, object]) -> str:
    window = cast("Window", so_far["window"])
    return "0 2 * * *" if window.covers(_USUAL_START) else default_schedule(window)


class KeySettings(Settings):
    """The public keys that backups are sealed for. The private ones are never on a worker."""

    recipients: dict[Slug, PublicKeyText] = Field(
        default_factory=dict,
        description=(
            "Public keys by name. Have two at least: one of operations, and one in escrow whose private half lies in a "
            "safe. `pgtend keys new` makes a pair."
        ),
    )


class BackupRules(Settings):
    """When and how a database is backed up."""

    enabled: Switch = Field(default=True, description="Whether backups are taken by schedule at all.")
    window: Window = Field(
        default_factory=Window,
        description="When a backup may start. Default: what the database's window says.",
    )
    schedule: Cron = Field(
        default_factory=_schedule_in_window,
        description=(
            "When it starts, in the time zone of the window; every start must lie inside it. Default: daily at 02:00, "
            "or half an hour after a window opens that is closed then."
        ),
    )
    deadline: Span = Field(
        default=timedelta(hours=6),
        description="People are alerted when a run has not finished this long after it was due.",
    )
    encrypt_to: tuple[Slug, ...] = Field(
        default=(),
        description="Names of the recipients that backups are sealed for. Default: all of the fleet's.",
    )
    unencrypted: Switch = Field(
        default=False,
        description="Store backups readable for everybody who can read the vault. Every run says so.",
    )
    parallel: Count = Field(
        default=2,
        description=(
            "Dumps that are read at the same time, and sessions that hash rows beside them. Each dump needs about "
            "60 MB of the worker's memory."
        ),
    )
    sessions: Annotated[int, Strict(), Kind("whole number from 5 to 100"), Field(ge=5, le=100)] = Field(
        default=12,
        description=(
            "Connections that a backup may open. Every dump has its own from the first moment, so that nobody who "
            "wants a table for itself comes between; with more large tables than connections, some share a dump."
        ),
    )
    patience: Span = Field(
        default=timedelta(minutes=5),
        description=(
            "How long a backup looks for a moment in which nobody empties or alters a table. It gives way at once to "
            "whoever does, and tries again."
        ),
    )
    own_part_from: Size = Field(
        default=Bytes.parse("16 MB"),
        description="A table of this size or more is dumped into an object of its own, at the same time as others.",
    )
    fingerprint_budget: Span = Field(
        default=timedelta(minutes=15),
        description=(
            "How long hashing rows may take, as estimated from their size. Tables that do not fit are covered by a "
            "sample of their rows, which the manifest says; all rows are counted in any case."
        ),
    )
    silence: Span = Field(
        default=timedelta(minutes=5),
        description="A dump that gives no byte for this long is taken for hung and ended.",
    )
    read_back: ReadBack = Field(
        default=ReadBack.FULL,
        description=(
            "How much is read again from the vault before the backup counts: `full` means every object to its last "
            "byte, and the state VERIFIED; `sample` means the smallest and the largest, and the state STORED."
        ),
    )

    retention: RetentionRules = Field(
        default_factory=RetentionRules, description="Which backups are kept in the database's vault."
    )
    copies: dict[Slug, CopyRules] = Field(
        default_factory=dict,
        description=(
            "Other vaults that every backup is copied to, by their names: another region, another account. "
            "The database is not read again."
        ),
    )

    @model_validator(mode="after")
    def _says_one_thing_about_encryption(self) -> Self:
        if self.unencrypted and self.encrypt_to:
            raise refusal("unencrypted contradicts encrypt_to", "remove one of the two")
        return self
