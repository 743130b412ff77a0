"""A session speaks in typed rows, keeps its settings and says in our words what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bed.clusters import LiveDatabase
from pgtend.fleet.model import Limits
from pgtend.sqlfiles import Query

HASTY = Limits(lock_timeout=timedelta(milliseconds=100), statement_timeout=timedelta(milliseconds=400))
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Word:
    """One text."""

    word: str


@dataclass(frozen=True)
class Settings:
    """What a session set for itself."""

    application: str
    statement_timeout: str
    lock_timeout: str
    idle: str
    timezone: str
    search_path: str
    client_check: str


def asked(text: str) -> Query[Word]:
    """Wrap a query of a test."""
    return Query(name="query of a test", text=text, row=Word, purpose="test")


READ_SETTINGS = Query(
    name="settings",
    text="""SELECT current_setting('application_name') AS application,
                   current_setting('statement_timeout') AS statement_timeout,
                   current_setting('lock_timeout') AS lock_timeout,
                   current_setting('idle_in_transaction_session_timeout') AS idle,
                   current_setting('timezone') AS timezone,
                   current_setting('search_path') AS search_path,
                   current_setting('client_connection_check_interval') AS client_check""",
    row=Settings,
    purpose="test",
)


def test_a_session_sets_its_limits_and_its_name(database: LiveDatabase) -> None:
    """Every session carries the limits of the fleet file and a name a DBA recognises."""
    limits = Limits(lock_timeout=timedelta(seconds=3), statement_timeout=timedelta(minutes=2))
    with database.session(limits=limits, application="pgtend:analyze:kgc") as session:
        assert session.row(READ_SETTINGS) == Settings(
            application="pgtend:analyze:kgc",
            statement_timeout="2min",
            lock_timeout="3s",
            idle="10min",
            timezone="UTC",
            search_path="pg_catalog",
            client_check="2s",
        )
