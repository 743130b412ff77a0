"""The schema of a ledger comes from its migrations, once, whoever runs them and however often."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, new_database, statement
from bed.ledgers import ask, tell
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.errors import (
    LedgerNotMigrated,
    LedgerRefused,
    LedgerTooNew,
    LedgerUnsuited,
    MigrationChanged,
    RolesMissing,
)
from pgtend.ledger.migrate import known_migrations, migrate, pending, require_current
from pgtend.ledger.reference import reference_page
from pgtend.ledger.schema import declared_schema, drift, read_schema
from pgtend.postgres.errors import StatementRejected
from pgtend.postgres.throwaway import ThrowawayServer

KNOWN = known_migrations()
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "ledger.md"


def test_all_migrations_add_up_to_the_declared_schema(reporting: LiveDatabase) -> None:
    """Every table, column, constraint, index, trigger, view, function and grant; the same on every version."""
    with reporting.session() as session:
        assert drift(read_schema(session), declared_schema()) == ()


def test_a_schema_that_somebody_changed_is_told_from_the_declared_one(reporting: LiveDatabase) -> None:
    """A trigger that was dropped and a column that was added are both named."""
    reporting.run(
        "DROP TRIGGER audit_entry_is_append_only ON reporting.audit_entry",
        "ALTER TABLE reporting.alert ADD COLUMN extra integer",
        "GRANT SELECT ON reporting.audit_entry TO PUBLIC",
    )
    with reporting.session() as session:
        found = drift(read_schema(session), declared_schema())
    assert [line[:52] for line in found] == [
        "missing: trigger CREATE TRIGGER audit_entry_is_appen",
        "unknown: column alert.extra integer",
        "unknown: grant SELECT on table audit_entry to PUBLIC",
    ]


def test_the_reference_page_is_made_from_the_comments_of_this_version(reporting: LiveDatabase) -> None:
    """Every view, column and function has a comment, and the page repeats it."""
    with reporting.session() as session:
        page = reference_page(session)
    assert page == PAGE.read_text(encoding="utf-8")
    assert "|  |" not in page


def test_migrating_twice_changes_nothing(database: LiveDatabase) -> None:
    """The second time applies nothing; each migration is in the audit once, and so is its digest."""
    with database.session() as session:
        assert migrate(session) == KNOWN
        assert migrate(session) == ()
        entries = list(DatabaseLedger(session).entries())
        assert [(entry.action, entry.seq) for entry in entries] == [
            ("ledger.migrated", migration.number) for migration in KNOWN
        ]
        assert KNOWN[0].sha256 in entries[0].detail


def test_two_who_migrate_at_once_do_it_once(database: LiveDatabase) -> None:
    """The second one waits, finds it done and is content."""

    def go(_: int) -> int:
        with database.session() as session:
            return len(migrate(session))

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(go, range(3))) == [0, 0, len(KNOWN)]


def test_a_migration_that_fails_leaves_nothing_of_itself(database: LiveDatabase) -> None:
    """What came before it stays, its own first half does not, and the next attempt goes on there."""
    text = "CREATE TABLE reporting.half (id int);\nSELECT no_such_function('100%');"
    broken = replace(KNOWN[-1], number=len(KNOWN) + 1, name="9999_broken", text=text)
    with database.session() as session:
        with pytest.raises(StatementRejected, match="no_such_function"):
            migrate(session, [*KNOWN, broken])
        assert ask(session, "SELECT to_regclass('reporting.half')") == [None]
        mended = replace(broken, text="CREATE TABLE reporting.half (id int);")
        assert migrate(session, [*KNOWN, mended]) == (mended,)


def test_a_released_migration_that_was_edited_is_refused(reporting: LiveDatabase) -> None:
    """By every job, not only by who migrates."""
    with reporting.session() as session, pytest.raises(MigrationChanged, match="0001_audit"):
        pending(session, [replace(KNOWN[0], sha256="0" * 64), *KNOWN[1:]])


def test_a_ledger_that_is_not_migrated_says_what_to_run(database: LiveDatabase) -> None:
    """From nothing, and from the migrations of an older version."""
    with database.session() as session:
        with pytest.raises(LedgerNotMigrated, match=f"lacks {len(KNOWN)} migrations") as caught:
            require_current(session)
        assert "`pgtend ledger migrate`" in caught.value.hint
        migrate(session, KNOWN[:-1])
        with pytest.raises(LedgerNotMigrated, match="lacks 1 migrations"):
            require_current(session)


def test_a_ledger_of_a_newer_version_is_refused(reporting: LiveDatabase) -> None:
    """An old worker beside a new one writes nothing."""
    newer = f"INSERT INTO reporting.migration VALUES ({len(KNOWN) + 1}, '0099_later', repeat('a', 64))"  # noqa: S608 - a number
    with reporting.session() as session:
        tell(session, newer)
        with pytest.raises(LedgerTooNew, match=f"this pgtend knows {len(KNOWN)}"):
            require_current(session)


def test_a_role_that_is_no_member_is_told_the_grant(reporting: LiveDatabase) -> None:
    """The hint is the statement to run."""
    stranger = reporting.new_role("stranger")
    with reporting.session(stranger) as session, pytest.raises(LedgerRefused) as caught:
        require_current(session)
    assert caught.value.hint.endswith(f'GRANT pgtend_writer TO "{stranger.user}";')


def test_a_database_of_another_encoding_is_refused(server: ThrowawayServer, database: LiveDatabase) -> None:
    """Names from every database have to fit."""
    name = f"{database.name}_latin"
    with server.session() as session:
        tell(session, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with server.session(name) as session, pytest.raises(LedgerUnsuited, match="LATIN1, not UTF8"):
            migrate(session)
    finally:
        with server.session() as session:
            tell(session, f"DROP DATABASE {name}")


@pytest.fixture
def lonely(server: ThrowawayServer) -> Generator[LiveDatabase]:
    """Give a database on a server of its own, where nobody ever made the roles of a ledger."""
    with ThrowawayServer(tools=server.tools) as alone, new_database(alone) as database:
        yield database


def test_an_owner_that_may_not_make_roles_is_told_what_to_run(lonely: LiveDatabase) -> None:
    """The hint is what a superuser runs, and then an ordinary owner can migrate."""
    with lonely.session(lonely.owner) as session:
        with pytest.raises(RolesMissing) as caught:
            migrate(session)
        assert caught.value.hint == (
            "Run as a superuser: CREATE ROLE pgtend_reader NOLOGIN; CREATE ROLE pgtend_writer NOLOGIN;"
        )
        lonely.run(caught.value.hint.removeprefix("Run as a superuser: "))
        assert migrate(session) == KNOWN
        assert drift(read_schema(session), declared_schema()) == ()


def test_an_owner_that_may_make_roles_makes_them(lonely: LiveDatabase) -> None:
    """No superuser is needed at all."""
    with lonely.session() as session:
        session.run(statement(f'ALTER ROLE "{lonely.owner.user}" CREATEROLE'))
    with lonely.session(lonely.owner) as session:
        assert migrate(session) == KNOWN
