"""What must fit together across a fleet file, beyond what each setting says about itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pgtend.fleet.findings import Finding, Path
from pgtend.fleet.model import (
    RESERVED,
    AnalyzeRules,
    ArchiveRules,
    BackupRules,
    ConnectionsFrom,
    Database,
    DrillRules,
    Fleet,
    StatementsRules,
)
from pgtend.fleet.schedules import default_schedule, times_outside
from pgtend.fleet.window import Window
from pgtend.kernel.names import did_you_mean
from pgtend.kernel.times import say_span


def check_fleet(fleet: Fleet, vaults: Collection[str], known_connections: Collection[str] | None) -> Iterator[Finding]:
    """Find what does not fit together; `vaults` are all names in the file, also of broken ones."""
    yield from _shared_connections(fleet)
    for database in fleet.databases.values():
        yield from _check_database(database, vaults)
        yield from _check_recipients(fleet, database)
    if fleet.connections is ConnectionsFrom.ENVIRONMENT and known_connections is not None:
        yield from _unknown_connections(fleet, known_connections)


def connections_of(fleet: Fleet) -> Iterator[tuple[Path, str]]:
    """List every connection that a fleet names, with its place."""
    if fleet.ledger:
        yield ("ledger", "connection"), fleet.ledger.connection
    for name, vault in fleet.vaults.items():
        if vault.s3 and vault.s3.connection:
            yield ("vaults", name, "s3", "connection"), vault.s3.connection
        if vault.s3 and vault.s3.expiry_connection:
            yield ("vaults", name, "s3", "expiry_connection"), vault.s3.expiry_connection
    for name, channel in fleet.alerts.channels.items():
        if channel.smtp:
            yield ("alerts", "channels", name, "smtp", "connection"), channel.smtp.connection
        if channel.apprise:
            yield ("alerts", "channels", name, "apprise", "connection"), channel.apprise.connection
    yield from _connections_of_databases(fleet)


def _connections_of_databases(fleet: Fleet) -> Iterator[tuple[Path, str]]:
    for name, database in fleet.databases.items():
        yield ("databases", name, "connection"), database.connection
        for replica, settings in database.statements.replicas.items():
            here: Path = ("databases", name, "statements", "replicas", replica, "connection")
            yield here, settings.connection
        if database.drill.key_connection:
            yield ("databases", name, "drill", "key_connection"), database.drill.key_connection


def _unknown_connections(fleet: Fleet, known: Collection[str]) -> Iterator[Finding]:
    for path, connection in connections_of(fleet):
        if connection not in known:
            hint = did_you_mean(connection, known) if known else "no connection is defined at all"
            yield Finding(path, f"unknown connection '{connection}'", hint)


def _shared_connections(fleet: Fleet) -> Iterator[Finding]:
    """Two names for one database would tend it twice, at the same time, by two sets of rules."""
    first: dict[str, str] = {}
    for name, database in fleet.databases.items():
        other = first.setdefault(database.connection, name)
        if other != name:
            yield Finding(
                ("databases", name, "connection"),
                f"databases '{other}' and '{name}' have the same connection '{database.connection}'",
                "give each its own connection, or remove one",
                also=(("databases", other, "connection"),),
            )


def _check_database(database: Database, vaults: Collection[str]) -> Iterator[Finding]:
    here: Path = ("databases", database.name)
    if database.name == RESERVED:
        yield Finding(here, f"a database cannot be called '{RESERVED}'", "pipelines of the whole fleet are named so")
    if database.vault not in vaults:
        yield Finding((*here, "vault"), f"unknown vault '{database.vault}'", did_you_mean(database.vault, vaults))
    yield from _check_copies(database, vaults)
    yield from _check_schedule(database.analyze, database, (*here, "analyze"))
    yield from _check_schedule(database.backup, database, (*here, "backup"))
    yield from _check_schedule(database.archive, database, (*here, "archive"))
    yield from _check_archive_order(database.archive, (*here, "archive", "tables"))
    yield from _check_schedule(database.statements, database, (*here, "statements"))
    yield from _check_index_schedules(database, (*here, "indexes"))
    yield from _check_schedule(database.drill, database, (*here, "drill"))
    rules = database.analyze
    if rules.deadline < rules.time_budget:
        yield Finding(
            (*here, "analyze", "deadline"),
            f"the deadline of {say_span(rules.deadline)} ends before the time budget of {say_span(rules.time_budget)}",
            "every long run would raise an alert",
            assumes=((*here, "analyze", "time_budget"),),
        )


def _check_copies(database: Database, vaults: Collection[str]) -> Iterator[Finding]:
    for name in database.backup.copies:
        here: Path = ("databases", database.name, "backup", "copies", name)
        if name not in vaults:
            yield Finding(here, f"unknown vault '{name}'", did_you_mean(name, vaults))
        elif name == database.vault:
            yield Finding(
                here, f"'{name}' is the vault that holds the backups already", "name a vault in another place"
            )


def _check_recipients(fleet: Fleet, database: Database) -> Iterator[Finding]:
    known = fleet.keys.recipients
    for place, name in enumerate(database.backup.encrypt_to):
        if name not in known:
            hint = did_you_mean(name, known) if known else "name its public key under keys.recipients"
            yield Finding(
                ("databases", database.name, "backup", "encrypt_to", place), f"unknown recipient '{name}'", hint
            )
    escrow = database.drill.escrow_recipient
    if escrow and escrow not in known:
        hint = did_you_mean(escrow, known) if known else "name its public key under keys.recipients"
        yield Finding(("databases", database.name, "drill", "escrow_recipient"), f"unknown recipient '{escrow}'", hint)


def _check_archive_order(rules: ArchiveRules, here: Path) -> Iterator[Finding]:
    """Tables wait for each other only where both have rules, and never in a circle."""
    for table, rule in rules.tables.items():
        for place, other in enumerate(rule.after):
            where: Path = (*here, table, "after", place)
            if other not in rules.tables:
                yield Finding(where, f"no rule for '{other}'", did_you_mean(other, rules.tables))
            elif table in _comes_after(rules, other):
                yield Finding(where, f"'{table}' and '{other}' wait for each other", "remove one of the two")


def _comes_after(rules: ArchiveRules, table: str) -> set[str]:
    """Name everything that a table waits for, directly or not."""
    found: set[str] = set()
    asked = [table]
    while asked:
        rule = rules.tables.get(asked.pop())
        new = set(rule.after if rule else ()) - found
        found |= new
        asked += new
    return found


def _check_schedule(
    rules: AnalyzeRules | ArchiveRules | BackupRules | DrillRules | StatementsRules, database: Database, here: Path
) -> Iterator[Finding]:
    yield from _check_times(rules.schedule, rules.window, database, (*here, "schedule"))


def _check_index_schedules(database: Database, here: Path) -> Iterator[Finding]:
    """Rebuilding must begin inside the window; looking may happen at any time."""
    rules = database.indexes
    yield from _check_times(rules.schedule, rules.window, database, (*here, "schedule"))
    if rules.deadline < rules.time_budget:
        yield Finding(
            (*here, "deadline"),
            f"the deadline of {say_span(rules.deadline)} ends before the time budget of {say_span(rules.time_budget)}",
            "every long run would raise an alert",
            assumes=((*here, "time_budget"),),
        )


def _check_times(schedule: str, window: Window, database: Database, here: Path) -> Iterator[Finding]:
    outside = times_outside(schedule, window)
    if outside:
        yield Finding(
            here,
            f"'{schedule}' starts at {_say_times(outside)}, outside the window {window}",
            f"'{default_schedule(window)}' would lie inside",
            assumes=(("environment",), (*here[:-1], "window"), ("databases", database.name, "window")),
        )


def _say_times(times: Sequence[object]) -> str:
    said = [f"{clock:%H:%M}" for clock in times[:3]]
    return ", ".join(said) + (f" and {len(times) - 3} more times" if len(times) > 3 else "")  # noqa: PLR2004 - three are enough to see it
