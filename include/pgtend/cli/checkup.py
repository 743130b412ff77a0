"""Looks at everything the work needs, from here to the far side, and changes nothing that stays."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pgtend.archive.readiness import require_archivable
from pgtend.backup.advisories import Version
from pgtend.backup.facts import READ_OUTSIDE, READ_RELATIONS, READ_SOURCE
from pgtend.backup.preflight import Preflight, recipients_of
from pgtend.cli.desk import APPLICATION, Desk
from pgtend.cli.findings import Finding, State, fine, look, not_seen, note, problems
from pgtend.cli.neighbours import Neighbours
from pgtend.fleet.model import Database, Fleet, VaultSettings
from pgtend.indexes.plan import refuse_missing_rights
from pgtend.kernel.errors import BrokenEvidence, Outage, PgtendError
from pgtend.kernel.names import counted, new_run_id
from pgtend.kernel.times import say_span, utc_now
from pgtend.planner.plan import plan_analyze, refuse_standby
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.tools import ClientTools, ToolMissing
from pgtend.sqlfiles import query
from pgtend.statements.readiness import require_counting
from pgtend.vault.errors import ObjectLocked
from pgtend.vault.open import aws_profiles, open_vault

_DRIFT = timedelta(seconds=5)
_PROBE = b"pgtend was here\n"


class ClocksDisagree(BrokenEvidence):
    """Two clocks are so far apart that times in the evidence mean nothing."""

    code = "cli.clocks_disagree"


class ProbeDiffers(BrokenEvidence):
    """A vault gave back other bytes than it was given."""

    code = "cli.probe_differs"


@dataclass(frozen=True, slots=True)
class Encryption:
    """Whether the server sees a connection as encrypted."""

    is_encrypted: bool
    protocol: str


@dataclass(frozen=True, slots=True)
class ServerClock:
    """What time it is on the server."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Sight:
    """What a role may see of its server."""

    is_whole: bool
    sql_role: str


READ_SIGHT = query(__package__ or "", "read_sight", Sight)
READ_ENCRYPTION = query(__package__ or "", "read_encryption", Encryption)
READ_CLOCK = query(__package__ or "", "read_clock", ServerClock)


def examine(desk: Desk, names: Sequence[str]) -> Iterator[Finding]:
    """Examine the whole fleet, or some of its databases and what they need."""
    try:
        chosen = desk.databases(list(names))
    except PgtendError as error:
        yield from problems("fleet", "fleet file", error)
        yield from not_seen("fleet", "ledger", "vaults", "databases")
        return
    yield fine("fleet", "fleet file", f"{desk.path}, databases: {', '.join(desk.fleet.databases)}")
    yield from look("fleet", "ledger", lambda: _see_ledger(desk))
    for name in dict.fromkeys(name for one in chosen for name in (one.vault, *one.backup.copies)):
        yield from examine_vault(f"vault {name}", desk.fleet.vaults[name])
    neighbours = Neighbours()
    for database in chosen:
        yield from examine_database(desk, database, neighbours)
    if not names:
        yield from neighbours.strangers(desk.fleet.left_alone)


def examine_vault(about: str, settings: VaultSettings) -> Iterator[Finding]:
    """Put a small object, read it back and remove it."""
    key = f"doctor/{new_run_id(utc_now())}"
    try:
        with open_vault(settings, aws_profiles) as vault:
            began = utc_now()
            stored = vault.put(key, io.BytesIO(_PROBE))
            if vault.read_range(key, 0, len(_PROBE)) != _PROBE:
                raise ProbeDiffers(
                    "the vault gave back other bytes than it was given",
                    detail=f"This was {vault.place}.",
                    hint="Follow docs/runbooks/vault-object-damaged.md.",
                )
            ended = utc_now()
            yield fine(about, "write and read", f"{vault.place}: a probe was stored and read back")
            yield from _compare_clocks(about, began, stored.stored_at, ended)
            try:
                vault.delete(key)
            except ObjectLocked:
                yield note(about, "object lock", "the probe is protected, as all objects are", "It expires by itself.")
    except PgtendError as error:
        yield from problems(about, "write and read", error)


def examine_database(desk: Desk, database: Database, neighbours: Neighbours) -> Iterator[Finding]:
    """Enter a database as the work would, and look at everything it needs there."""
    about = database.name
    try:
        address = desk.address(database)
        with open_session(address, database.limits, application=APPLICATION) as session:
            facts = session.facts
            neighbours.meet(about, session)
            yield fine(about, "connection", f"PostgreSQL {facts.version_text}, {address.place} as {facts.role}")
            yield _see_encryption(about, session)
            yield from look(about, "primary", lambda: _see_primary(session))
            yield from _see_rights(about, session, database)
            yield from _see_index_rights(about, session, database)
            if database.health.enabled:
                yield _see_sight(about, session.row(READ_SIGHT))
            if database.backup.enabled:
                yield from _see_backup(session, desk.fleet, database)
            if database.archive.enabled and database.archive.tables:
                yield from look(about, "archive", partial(_see_archive, session, database))
            if desk.fleet.ledger is not None and database.statements.enabled:
                yield from look(about, "statements", lambda: _see_counting(session))
            yield from _see_room(about, session, database)
            began = utc_now()
            yield from _compare_clocks(about, began, session.row(READ_CLOCK).now, utc_now())
            yield _see_tools(about, facts.major)
    except PgtendError as error:
        yield from problems(about, "connection", error)
        yield from not_seen(about, "rights", "clock", "client tools")


def _see_ledger(desk: Desk) -> str:
    with desk.ledger() as ledger:
        return f"reachable and up to date, {counted(ledger.audit_head().seq, 'entry')} in its audit"


def _see_encryption(about: str, session: Session) -> Finding:
    seen = session.row(READ_ENCRYPTION)
    if seen.is_encrypted:
        return fine(about, "encryption", seen.protocol)
    if session.address.is_local_socket:
        return fine(about, "encryption", "a local socket, which needs none")
    return note(
        about,
        "encryption",
        "the connection is in clear text, because it says so",
        "Remove sslmode from the connection: verify-full is the default.",
    )


def _see_primary(session: Session) -> str:
    refuse_standby(session)
    return "a primary, reached without a pooler"


def _see_rights(about: str, session: Session, database: Database) -> Iterator[Finding]:
    if session.facts.is_standby:
        yield from not_seen(about, "rights")
        return
    try:
        plan = plan_analyze(session, database.analyze)
        plan.raise_if_rights_are_missing()
    except Outage as error:
        yield from problems(about, "rights", error)
    except PgtendError as error:
        yield from problems(about, "rights", error)
    else:
        yield fine(about, "rights", f"all that ANALYZE of {counted(len(plan.decisions), 'table')} needs")


def _see_counting(session: Session) -> str:
    """Say whether the server counts statements so that reading them is worth while."""
    counting = require_counting(session)
    remarks = "".join(f"; {remark}" for remark in counting.remarks)
    exact = "exactly" if counting.is_exact else "but not since when each entry counts"
    return f"pg_stat_statements {counting.version} counts, {exact}{remarks}"


def _see_sight(about: str, sight: Sight) -> Finding:
    """Say whether health can be seen: what it may not read is unknown there, and never fine."""
    if sight.is_whole:
        return fine(about, "health", "the role sees all that is watched")
    said = "sessions, write-ahead log and disk stay unknown: the role may not see them"
    return note(about, "health", said, f"GRANT pg_monitor TO {sight.sql_role};")


def _see_index_rights(about: str, session: Session, database: Database) -> Iterator[Finding]:
    if session.facts.is_standby:
        yield from not_seen(about, "rights on indexes")
        return
    rules = database.indexes
    said = "all that rebuilding {} needs"
    yield from look(
        about, "rights on indexes", lambda: said.format(counted(refuse_missing_rights(session, rules), "index"))
    )
    if rules.check and "amcheck" not in session.facts.extensions:
        yield note(
            about, "amcheck", "is not installed, so no index is verified", "As a superuser: CREATE EXTENSION amcheck;"
        )


def _see_backup(session: Session, fleet: Fleet, database: Database) -> Iterator[Finding]:
    """Say whether a backup could be taken: the rights and tools that it needs, and somebody to seal it for."""
    recipients = recipients_of(fleet, database.name)
    if not (recipients or database.backup.unencrypted):
        yield note(
            database.name,
            "backup",
            "none can be taken yet: nobody is named for whom backups are sealed",
            "Make a pair with `pgtend keys new`, and name its public key in keys.recipients.",
        )

    try:
        tools = ClientTools.find(session.facts.major)
    except ToolMissing as error:
        yield note(database.name, "backup", "is not looked at without client tools", error.hint)
        return

    def ready() -> str:
        Preflight(
            source=session.row(READ_SOURCE),
            outside=session.row(READ_OUTSIDE),
            relations=session.rows(READ_RELATIONS),
            client=Version.parse(tools.version_text),
            recipients=recipients,
            unencrypted=not recipients,
        ).raise_if_not_ready()
        if recipients:
            return f"all that a backup needs, sealed for {counted(len(recipients), 'recipient')}"
        open_to_all = "all that a backup needs; it is not encrypted: whoever can read the vault can read every row"
        return open_to_all if database.backup.unencrypted else "everything else that a backup needs"

    yield from look(database.name, "backup", ready)


def _see_archive(session: Session, database: Database) -> str:
    """Say whether the tables with an archive rule can be archived by the role that does it."""
    refuse_standby(session)
    return f"all that archiving {counted(require_archivable(session, database), 'table')} needs"


def _see_room(about: str, session: Session, database: Database) -> Iterator[Finding]:
    allowed, wanted = session.facts.connection_limit, max(database.limits.sessions, database.backup.sessions)
    if wanted > allowed:
        yield note(
            about,
            "connections",
            f"up to {wanted} are used, the server allows {allowed}",
            "Lower limits.sessions and backup.sessions in the fleet file, or: "
            f"ALTER ROLE {session.facts.role} CONNECTION LIMIT {wanted};",
        )


def _compare_clocks(about: str, began: datetime, there: datetime, ended: datetime) -> Iterator[Finding]:
    """Compare another clock with ours, before and after asking; a whole second may be lost to rounding."""
    ahead = max(there - ended, began - there - timedelta(seconds=1), timedelta())
    if ahead <= _DRIFT:
        yield fine(about, "clock", "agrees with ours")
        return
    error = ClocksDisagree(
        f"its clock and ours are {say_span(ahead)} apart",
        hint="Let both machines follow the same time server (chrony or systemd-timesyncd).",
    )
    yield from problems(about, "clock", error)


def _see_tools(about: str, major: int) -> Finding:
    try:
        tools = ClientTools.find(major)
    except ToolMissing as error:
        return Finding(about=about, what="client tools", state=State.NOTE, said=error.message, hint=error.hint)
    return fine(about, "client tools", f"{tools.version_text} in {tools.folder}")
