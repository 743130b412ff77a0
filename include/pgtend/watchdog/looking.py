"""Looks at vault, ledger, Airflow and channels, and says of each thing that should be well what was seen."""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from pgtend.fleet.model import Fleet, LedgerSettings, first_vault
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import CLOCKS_DIFFER
from pgtend.ledger.anchor import anchors_folder
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.history import last_good_run
from pgtend.ledger.open import open_reporting
from pgtend.postgres.session import Session
from pgtend.sqlfiles import query
from pgtend.vault.model import Vault
from pgtend.watchdog.asking import ask
from pgtend.watchdog.channels import Way
from pgtend.watchdog.connections import Connections
from pgtend.watchdog.errors import AirflowDown
from pgtend.watchdog.model import Look, Promise, broken, fine, judge, unknown
from pgtend.watchdog.promises import AUDIT_KEY, HEALTH, promise_of_audit, promise_of_backup, promises_in_ledger

AIRFLOW: Final = "airflow.api-server"
HEALTH_PAGE: Final = "/api/v2/monitor/health"
PARTS: Final = {"metadatabase": "metadatabase", "scheduler": "scheduler", "dag_processor": "dag-processor"}
_ANCHOR: Final = re.compile(r"/(\d{12})\.json\Z")
_MANIFEST: Final = re.compile(r"/manifest\.json\Z")


@dataclass(frozen=True, slots=True)
class LastLook:
    """When a database was looked at."""

    looked_at: datetime


READ_LAST_LOOK = query(__package__ or "", "read_last_look", LastLook)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of looking needs to know."""

    fleet: Fleet
    connections: Connections
    now: datetime
    watched_since: Mapping[str, datetime]

    def judge(self, promise: Promise, done_at: datetime | None) -> Look:
        """Hold what happened against what should have."""
        return judge(promise, done_at, self.now, self.watched_since.get(promise.key, self.now))


def look_around(round_: Round, ways: tuple[Way, ...]) -> list[Look]:
    """Look at everything."""
    return [
        *look_at_vaults(round_),
        *look_at_ledger(round_),
        *look_at_airflow(round_.fleet.watchdog.airflow),
        *(_tried(f"channel.{way.name}", way.probe) for way in ways),
    ]


def look_at_vaults(round_: Round) -> Iterator[Look]:
    """Look at each vault once, and at what each database should have in it."""
    for name in round_.fleet.vaults:
        mine = [one for one in round_.fleet.databases.values() if one.vault == name]
        promises = [promise_of_backup(round_.fleet, one) for one in mine if one.backup.enabled]
        key = f"vault.{name}"
        try:
            with round_.connections.vault(round_.fleet.vaults[name]) as vault:
                newest = {one.name: newest_backup(vault, round_.fleet.fleet, one.name) for one in mine}
                says = f"{vault.place} answers"
                if not mine:
                    vault.objects("audit/")
        except PgtendError as error:
            yield broken(key, error)
            yield from (unknown(promise.key) for promise in promises)
            continue
        yield fine(key, says)
        yield from (round_.judge(promise, newest[promise.key.partition(".")[0]]) for promise in promises)


def newest_backup(vault: Vault, fleet: str, database: str) -> datetime | None:
    """Tell when the vault took the newest manifest: by the vault's clock, and a backup without one does not exist."""
    found = vault.objects(f"backups/{fleet}/{database}/")
    return max((one.stored_at for one in found if _MANIFEST.search(one.key)), default=None)


def look_at_ledger(round_: Round) -> Iterator[Look]:
    """Look whether the ledger answers, and at what it knows of each pipeline."""
    fleet = round_.fleet
    if fleet.ledger is None:
        return
    promises = [promise for one in fleet.databases.values() for promise in promises_in_ledger(fleet, one)]
    try:
        looks = list(_ask_ledger(round_, fleet.ledger, promises))
    except PgtendError as error:
        yield broken("ledger", error)
        yield from (unknown(key) for key in (*(promise.key for promise in promises), AUDIT_KEY))
        return
    yield fine("ledger", "it answers")
    yield from looks


def _ask_ledger(round_: Round, settings: LedgerSettings, promises: list[Promise]) -> Iterator[Look]:
    with open_reporting(settings, round_.connections, application="pgtend:watchdog") as session:
        for promise in promises:
            yield round_.judge(promise, _done_at(session, round_.now, *promise.key.split(".", 1)))
        yield _look_at_audit(round_, session)


def _done_at(session: Session, now: datetime, database: str, pipeline: str) -> datetime | None:
    """Tell when a pipeline left a good result last."""
    if pipeline == HEALTH:
        looks = session.rows(READ_LAST_LOOK, {"database": database})
        # The clock of a worker that is ahead dates its looks into the future.
        return looks[0].looked_at if looks and looks[0].looked_at <= now + CLOCKS_DIFFER else None
    runs = last_good_run(session, database, pipeline)
    return runs[0].ended_at if runs else None


def _look_at_audit(round_: Round, session: Session) -> Look:
    """Hold the newest anchor against the audit: where nothing was written down since, none is missing."""
    fleet, promise = round_.fleet, promise_of_audit(round_.fleet)
    try:
        with round_.connections.vault(fleet.vaults[first_vault(list(fleet.vaults))]) as vault:
            found = vault.objects(anchors_folder(fleet.fleet))
    except PgtendError:
        # The vault's own look tells of it.
        return unknown(promise.key)
    anchors = {int(match[1]): one.stored_at for one in found if (match := _ANCHOR.search(one.key))}
    newest = max(anchors, default=0)
    if DatabaseLedger(session).audit_head().seq == newest:
        return fine(promise.key, f"entry {newest} is the newest, and it is anchored")
    return round_.judge(promise, anchors.get(newest))


def look_at_airflow(address: str | None) -> Iterator[Look]:
    """Ask Airflow's public health page, which tells of the scheduler too."""
    if address is None:
        return
    keys = [f"airflow.{name}" for name in PARTS.values()]
    try:
        health = _health(address.rstrip("/") + HEALTH_PAGE)
    except AirflowDown as error:
        yield broken(AIRFLOW, error)
        yield from map(unknown, keys)
        return
    yield fine(AIRFLOW, "it answers")
    for part, key in zip(PARTS, keys, strict=True):
        status = health.get(part, "not there")
        if status == "healthy":
            yield fine(key, status)
        else:
            yield broken(
                key,
                AirflowDown(
                    f"Airflow's {PARTS[part]} is not alive",
                    detail=f"The health page says: {status[:40]}.",
                    hint="No run starts until it is back; see docs/runbooks/airflow-down.md.",
                ),
            )


def _health(address: str) -> Mapping[str, str]:
    try:
        content = cast("object", json.loads(ask(address)))
    except (OSError, ValueError) as error:
        raise AirflowDown(
            "Airflow's api-server does not answer",
            detail=f"Asking {address} ended in {_kind(error)}.",
            hint="Nothing can be started or reported until it is back; see docs/runbooks/airflow-down.md.",
        ) from error
    parts = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    return {
        name: str(cast("dict[str, object]", part).get("status"))
        for name, part in parts.items()
        if isinstance(part, dict)
    }


def _kind(error: Exception) -> str:
    return f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__


def _tried(key: str, attempt: Callable[[], None]) -> Look:
    try:
        attempt()
    except PgtendError as error:
        return broken(key, error)
    return fine(key, "it takes messages")
