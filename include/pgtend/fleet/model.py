"""The fleet: its databases, the rules each is tended by, and where evidence and alerts go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Self, TypeAlias, cast

from pydantic import Field, model_validator

from pgtend.fleet.alerts import AlertSettings, AppriseChannel, Channel, SmtpChannel
from pgtend.fleet.analyze import AnalyzeRules, StatisticsTarget
from pgtend.fleet.archive import ArchiveMode, ArchiveRules, Referenced, TableArchive, Tier
from pgtend.fleet.backup import BackupRules, KeySettings, ReadBack
from pgtend.fleet.drill import DrillRules, LeastIsolation, SmokeQuery
from pgtend.fleet.health import HealthLimit, HealthRules, Watched
from pgtend.fleet.indexes import IndexRules
from pgtend.fleet.profiles import PROFILES, Environment
from pgtend.fleet.receipts import ReceiptRules
from pgtend.fleet.retention import CopyRules, RetentionRules
from pgtend.fleet.settings import Count, Settings, Slug, Span, Text, Zone, refusal
from pgtend.fleet.statements import ReplicaSettings, SlowLogRules, StatementsRules
from pgtend.fleet.vaults import (
    Checksum,
    Encryption,
    FolderVault,
    LockMode,
    ObjectLock,
    S3Vault,
    VaultSettings,
)
from pgtend.fleet.watchdog import WatchdogRules
from pgtend.fleet.window import OutsideWindow, Window

Block: TypeAlias = dict[str, object]
DEFAULT_VAULT = "main"
RESERVED = "fleet"
_WITH_A_WINDOW = ("analyze", "backup", "archive", "statements", "indexes", "drill")


class ConnectionsFrom(StrEnum):
    """Where connections may be defined."""

    ENVIRONMENT = "environment"
    ANYWHERE = "anywhere"


class Limits(Settings):
    """How much of a database maintenance may take."""

    sessions: Count = Field(default=4, description="Connections that one job may open at the same time.")
    connect_timeout: Span = Field(
        default=timedelta(seconds=5), description="How long to wait for a connection before giving up."
    )
    statement_timeout: Span = Field(
        default=timedelta(minutes=30), description="How long one statement may run before the server cancels it."
    )
    lock_timeout: Span = Field(
        default=timedelta(seconds=5),
        description="How long to wait for a lock. Everybody who asks after us waits behind us, so keep it short.",
    )


class Database(Settings):
    """One database that we look after."""

    name: Slug = Field(description="The database's key in the fleet file; part of DAG ids and object keys.")
    connection: Text = Field(
        default="",
        validate_default=False,
        description=(
            "Airflow connection, or outside Airflow a libpq service, that leads to the database. "
            "Default: the name of the database."
        ),
    )
    owner: Text = Field(
        default="pgtend", description="Who answers for the database, shown with its DAGs. Default: the fleet's owner."
    )
    vault: Slug = Field(
        default=DEFAULT_VAULT,
        description="Name of the vault for copies and evidence. Default: `main`, or else the first one in the file.",
    )
    limits: Limits = Field(default_factory=Limits, description="How much of the database maintenance may take.")
    window: Window = Field(default_factory=Window, description="The part of the day in which maintenance may run.")
    analyze: AnalyzeRules = Field(default_factory=AnalyzeRules, description="When a table's statistics are renewed.")
    backup: BackupRules = Field(default_factory=BackupRules, description="When and how the database is backed up.")
    health: HealthRules = Field(
        default_factory=HealthRules, description="What is watched, how often, and when people are told."
    )
    archive: ArchiveRules = Field(
        default_factory=ArchiveRules, description="Which rows leave their tables when they are old."
    )
    statements: StatementsRules = Field(
        default_factory=StatementsRules, description="How the cost of statements is read every night."
    )
    indexes: IndexRules = Field(default_factory=IndexRules, description="How the database's indexes are cared for.")
    drill: DrillRules = Field(default_factory=DrillRules, description="How the backups of the database are proven.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: object) -> object:
        return (
            _complete_database(cast("Block", given), PROFILES[Environment.PRODUCTION])
            if isinstance(given, dict)
            else given
        )


class LedgerSettings(Settings):
    """The database that remembers what was done, when, and with which evidence."""

    connection: Text = Field(description="Airflow connection, or libpq service, that leads to the reporting database.")
    keep: Span = Field(
        default=timedelta(days=730),
        ge=timedelta(days=90),
        description="How long runs and their evidence are remembered, by whole months. The audit is never forgotten.",
    )
    keep_readings: Span = Field(
        default=timedelta(days=60),
        ge=timedelta(days=14),
        description=(
            "How long every single reading of health is remembered, by whole months. Daily figures are made of them, "
            "and those stay as long as runs."
        ),
    )


class Fleet(Settings):
    """All databases that one installation looks after."""

    fleet: Slug = Field(description="Name of the fleet, shown in alerts and kept in the evidence.")
    environment: Environment = Field(
        default=Environment.PRODUCTION,
        description="What the fleet is used for: decides the defaults of limits and windows.",
    )
    owner: Text = Field(default="pgtend", description="Who answers for the databases that name no owner of their own.")
    timezone: Zone = Field(default="UTC", description="Time zone of the windows that name none of their own.")
    connections: ConnectionsFrom = Field(
        default=ConnectionsFrom.ANYWHERE,
        description=(
            "Where connections are defined. `environment`: only in `AIRFLOW_CONN_*` variables or libpq services, so "
            "that a mistyped connection is found when the file is read. `anywhere`: also in the Airflow UI or a "
            "secrets backend, where a mistake shows only when the connection is used."
        ),
    )
    ledger: LedgerSettings | None = Field(
        default=None,
        description=(
            "The database that remembers what was done, when, and with which evidence. "
            "Default: a folder on the machine, which Airflow's workers cannot share."
        ),
    )
    vaults: dict[Slug, VaultSettings] = Field(
        default_factory=lambda: {DEFAULT_VAULT: VaultSettings(folder=FolderVault())},
        description="Where copies and evidence live. Default: `main`, a folder in the user's home.",
    )
    keys: KeySettings = Field(default_factory=KeySettings, description="Whose keys open the backups.")
    receipts: ReceiptRules = Field(
        default_factory=ReceiptRules, description="How receipts of drills are signed, and where they are kept."
    )
    alerts: AlertSettings = Field(
        default_factory=AlertSettings, description="Who is told when something breaks, and how."
    )
    watchdog: WatchdogRules = Field(
        default_factory=WatchdogRules, description="What watches from outside Airflow, and how often."
    )
    databases: dict[Slug, Database] = Field(description="The databases to look after, by name.")
    left_alone: tuple[Text, ...] = Field(
        default=(),
        description=(
            "Databases that share a server with ours and that nobody has to back up, by their names there. "
            "`pgtend doctor` names every other one that is in no fleet."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fleet = cast("Block", given)
        databases = fleet.get("databases")
        if not isinstance(databases, dict):
            return fleet
        named = cast("Block", databases)
        return {**fleet, "databases": {name: _inherit(name, block, fleet) for name, block in named.items()}}

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for name, database in self.databases.items():
            if database.name != name:
                raise refusal(f"database '{name}' calls itself '{database.name}'", "a database's name is its key")
        return self


def first_vault(names: list[str]) -> str:
    """Choose the vault of a database that names none."""
    return DEFAULT_VAULT if DEFAULT_VAULT in names or not names else names[0]


def _inherit(name: str, block: object, fleet: Mapping[str, object]) -> object:
    """Complete a database with what the fleet and its environment's profile say."""
    if not isinstance(block, dict):
        return block
    inherited: Block = {"name": name}
    if isinstance(fleet.get("owner"), str):
        inherited["owner"] = fleet["owner"]
    vaults = fleet.get("vaults")
    inherited["vault"] = first_vault(list(cast("Block", vaults)) if isinstance(vaults, dict) else [])
    profile = PROFILES[_environment(fleet.get("environment"))]
    zone = fleet.get("timezone")
    own = {**profile, "window": {**profile["window"], **({"timezone": zone} if isinstance(zone, str) else {})}}
    return _complete_database({**inherited, **cast("Block", block)}, own)


def _complete_database(database: Block, profile: Mapping[str, Mapping[str, object]]) -> object:
    """Complete the blocks of a database; what is no block stays as it is, for the model to refuse."""
    window = _over(profile["window"], database.get("window", {}))
    completed: Block = {
        "connection": database.get("name", ""),
        **database,
        "limits": _over(profile["limits"], database.get("limits", {})),
        "window": window,
    }
    for pipeline in _WITH_A_WINDOW:
        given = database.get(pipeline, {})
        if isinstance(given, dict) and isinstance(window, dict):
            rules = cast("Block", given)
            completed[pipeline] = {**rules, "window": _over(cast("Block", window), rules.get("window", {}))}
    return completed


def _over(defaults: Mapping[str, object], given: object) -> object:
    return {**defaults, **cast("Block", given)} if isinstance(given, dict) else given


def _environment(given: object) -> Environment:
    """Take the environment from an unchecked file; a wrong one is reported elsewhere, so production's rules hold."""
    return Environment(given) if given in list(Environment) else Environment.PRODUCTION


__all__ = [
    "AlertSettings",
    "AnalyzeRules",
    "AppriseChannel",
    "ArchiveMode",
    "ArchiveRules",
    "BackupRules",
    "Channel",
    "Checksum",
    "ConnectionsFrom",
    "CopyRules",
    "Database",
    "DrillRules",
    "Encryption",
    "Environment",
    "Fleet",
    "FolderVault",
    "HealthLimit",
    "HealthRules",
    "IndexRules",
    "KeySettings",
    "LeastIsolation",
    "LedgerSettings",
    "Limits",
    "LockMode",
    "ObjectLock",
    "OutsideWindow",
    "ReadBack",
    "ReceiptRules",
    "Referenced",
    "ReplicaSettings",
    "RetentionRules",
    "S3Vault",
    "SlowLogRules",
    "SmokeQuery",
    "SmtpChannel",
    "StatementsRules",
    "StatisticsTarget",
    "TableArchive",
    "Tier",
    "VaultSettings",
    "WatchdogRules",
    "Watched",
    "Window",
]
