"""One connection to one database, with the settings every job of ours needs."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import LiteralString, TypeVar, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow, class_row, scalar_row

from pgtend.fleet.model import Limits
from pgtend.kernel.errors import PgtendError
from pgtend.postgres import locks
from pgtend.postgres.address import Address
from pgtend.postgres.errors import AlreadyTended, StatementCancelled, StatementTimeout, UnexpectedRows
from pgtend.postgres.facts import READ_FACTS, SEARCH_PATH, ServerFacts, refuse_pooler, refuse_unsupported
from pgtend.postgres.notices import Notice, Outcome, read_notice
from pgtend.postgres.translation import cause_of, hint_for, translate
from pgtend.sqlfiles import Document, Query, query

Row = TypeVar("Row")
_NOTHING: Mapping[str, object] = MappingProxyType({})
_WATCHED_SINCE = 14
_NAME_LENGTH = 63
_IDLE_IN_TRANSACTION = timedelta(minutes=10)
# A scheduler that kills a task leaves it five seconds.
_CANCEL_PATIENCE = 2.0
# A dead network is noticed in a minute even while we wait for an answer that takes hours.
_KEEPALIVES = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as the server took it."""

    setting: str


WATCH_CLIENT = query(__package__ or "", "watch_client", Setting)


@dataclass(slots=True)
class Session:
    """A connection in autocommit mode that speaks in typed rows and in our errors."""

    address: Address
    limits: Limits
    application: str
    connection: psycopg.Connection[TupleRow]
    _notices: list[Notice] = field(default_factory=list[Notice])
    _facts: ServerFacts | None = None
    _is_cancelled: bool = False

    def __post_init__(self) -> None:
        self.connection.add_notice_handler(lambda diagnostic: self._notices.append(read_notice(diagnostic)))

    @property
    def facts(self) -> ServerFacts:
        """What is true of the server, asked once."""
        if self._facts is None:
            self._facts = self.row(READ_FACTS)
        return self._facts

    def look_again(self) -> None:
        """Ask for the facts anew the next time: what was installed or removed in this session changed them."""
        self._facts = None

    def rows(
        self, asked: Query[Row], params: Mapping[str, object] = _NOTHING, **identifiers: sql.Composable
    ) -> list[Row]:
        """Ask for rows."""
        with (
            self._speaking_our_errors(asked.name, identifiers),
            self.connection.cursor(row_factory=class_row(asked.row)) as cursor,
        ):
            return cursor.execute(statement(asked, identifiers), params).fetchall()

    def row(self, asked: Query[Row], params: Mapping[str, object] = _NOTHING, **identifiers: sql.Composable) -> Row:
        """Ask for the one row there must be."""
        rows = self.rows(asked, params, **identifiers)
        if len(rows) != 1:
            raise UnexpectedRows(
                f"{asked.name} gave {len(rows)} rows instead of one",
                detail=f"This was {self.address.place} as {self.address.user}.",
                hint="Report this together with the version of the server.",
            )
        return rows[0]

    def document(
        self, asked: Query[Document], params: Mapping[str, object] = _NOTHING, **identifiers: sql.Composable
    ) -> object:
        """Ask for the one value of a statement whose column has a name that no field can have, such as a plan."""
        with (
            self._speaking_our_errors(asked.name, identifiers),
            self.connection.cursor(row_factory=scalar_row) as cursor,
        ):
            return cast("object", cursor.execute(statement(asked, identifiers), params).fetchone())

    def run(
        self, command: Query[None], params: Mapping[str, object] = _NOTHING, **identifiers: sql.Composable
    ) -> Outcome:
        """Run a statement without rows, and tell what the server remarked: a WARNING may mean that nothing was done."""
        self._notices.clear()
        with self._speaking_our_errors(command.name, identifiers):
            cursor = self.connection.execute(statement(command, identifiers), params)
            return Outcome(cursor.statusmessage or "", tuple(self._notices))

    def run_for_each(self, command: Query[None], many: Sequence[Mapping[str, object]]) -> None:
        """Run a statement once for each set of values, without waiting for the network in between."""
        with self._speaking_our_errors(command.name, {}), self.connection.cursor() as cursor:
            cursor.executemany(statement(command, {}), many)

    def copy_in(self, command: Query[None], rows: Iterable[Sequence[object]], **identifiers: sql.Composable) -> int:
        """Stream rows into a table by COPY, and tell how many the server took."""
        with self._speaking_our_errors(command.name, identifiers), self.connection.cursor() as cursor:
            with cursor.copy(statement(command, identifiers, has_params=False)) as copy:
                for row in rows:
                    copy.write_row(row)
            return cursor.rowcount

    def copy_out(
        self, command: Query[None], params: Mapping[str, object] = _NOTHING, **identifiers: sql.Composable
    ) -> Generator[bytes]:
        """Stream what COPY gives, block by block and as the server wrote it."""
        with (
            self._speaking_our_errors(command.name, identifiers),
            self.connection.cursor() as cursor,
            cursor.copy(statement(command, identifiers, has_params=bool(params)), params) as copy,
        ):
            for block in copy:
                yield bytes(block)

    def copy_blocks(self, command: Query[None], blocks: Iterable[bytes], **identifiers: sql.Composable) -> int:
        """Stream blocks into a table as COPY gave them elsewhere, and tell how many bytes they were."""
        copied = 0
        with (
            self._speaking_our_errors(command.name, identifiers),
            self.connection.cursor() as cursor,
            cursor.copy(statement(command, identifiers, has_params=False)) as copy,
        ):
            for block in blocks:
                copy.write(block)
                copied += len(block)
        return copied

    def run_as_written(self, script: bytes) -> None:
        """Run statements that a dump holds, in whatever encoding they were written."""
        with self._speaking_our_errors("a statement of a dump", {}):
            self.connection.execute(script)

    def copy_as_written(self, copy: bytes, blocks: Iterable[memoryview]) -> None:
        """Stream the rows of a dump into the table that its statement names."""
        with (
            self._speaking_our_errors("COPY of a dump", {}),
            self.connection.cursor() as cursor,
            cursor.copy(copy) as copying,
        ):
            for block in blocks:
                copying.write(block)

    @contextmanager
    def transaction(self, *, of_one_moment: bool = False) -> Generator[None]:
        """Do all of it or nothing; of one moment: on rows as they are when it begins, if they stay so to its end."""
        with self._speaking_our_errors("transaction", {}):
            if of_one_moment:
                self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                with self.connection.transaction():
                    yield
            finally:
                # A broken connection begins nothing any more, and takes no settings.
                if of_one_moment and not self.connection.broken and not self.connection.closed:
                    self.connection.isolation_level = None

    @contextmanager
    def planning_once(self) -> Generator[None]:
        """Let a statement that comes back be read and planned once, as long as this lasts."""
        self.connection.prepare_threshold = 1
        try:
            yield
        finally:
            self.connection.prepare_threshold = None

    def cancel(self) -> None:
        """Stop what the server is doing for us; safe from another thread and from a signal handler."""
        self._is_cancelled = True
        with self._speaking_our_errors("cancel", {}):
            self.connection.cancel_safe(timeout=2)

    def abandon(self) -> None:
        """Break the connection without a word, for a server that answers nothing; safe from another thread."""
        # A line that is broken already cannot be broken again: neither the driver nor the system knows it any more.
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    def is_quiet(self) -> bool:
        """Tell whether an idle connection is still one: a server that closes it says so before it is asked."""
        if self.connection.closed or self.connection.broken:
            return False
        speaking, _, _ = select.select([self.connection.fileno()], [], [], 0)
        return not speaking

    @contextmanager
    def hold(self, name: str, *, patience: timedelta) -> Generator[None]:
        """Hold the lock of this name in this database, so that two jobs of one kind never overlap."""
        key = {"key": locks.lock_key(name)}
        self._take(name, key, deadline=time.monotonic() + patience.total_seconds())
        try:
            yield
        finally:
            # A broken connection has already given the lock back.
            if not self.connection.broken and not self.connection.closed:
                self.row(locks.RELEASE_ADVISORY_LOCK, key)

    def who_blocks(self, *relations: sql.Composable) -> list[locks.Blocker]:
        """Name the sessions that keep others out of these relations, or out of any when none is named."""
        names = [relation.as_string(self.connection) for relation in relations]
        ourselves = [self.connection.info.backend_pid]
        return self.rows(locks.READ_BLOCKERS, {"relations": names, "ourselves": ourselves})

    def _take(self, name: str, key: Mapping[str, object], *, deadline: float) -> None:
        pause = 0.05
        while not self.row(locks.TAKE_ADVISORY_LOCK, key).is_ours:
            if time.monotonic() >= deadline:
                holders = self.rows(locks.READ_LOCK_HOLDER, key)
                who = str(holders[0]) if holders else "a session that let go this very moment"
                raise AlreadyTended(
                    f"'{name}' is already being tended in {self.address.place}",
                    detail=f"The lock is held by {who}.",
                    hint="Wait for it to end: it is tried again. If it hangs, see docs/runbooks/locked-out.md.",
                )
            time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
            pause = min(pause * 2, 1.0)

    @contextmanager
    def _speaking_our_errors(self, name: str, identifiers: Mapping[str, sql.Composable]) -> Generator[None]:
        started = time.monotonic()
        try:
            yield
        except psycopg.Error as error:
            hint = ""
            if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
                # A number may stand in a statement too, but nobody can lock one.
                named = tuple(part for part in identifiers.values() if isinstance(part, sql.Identifier))
                hint = self._explain_wait(named)
            raise self._in_our_words(error, name, started, hint) from cause_of(error)

    def _in_our_words(self, error: psycopg.Error, name: str, started: float, hint: str) -> PgtendError:
        told = translate(error, self.address)
        kind: type[PgtendError] = type(told)
        took = time.monotonic() - started
        # The server's text says which of the two it was, but in the server's language.
        if kind is StatementCancelled and not self._is_cancelled and took >= _seconds(self.limits.statement_timeout):
            kind = StatementTimeout
        return kind(told.message, detail=f"{told.detail} It was {name}.", hint=hint or hint_for(kind))

    def _explain_wait(self, relations: Sequence[sql.Identifier]) -> str:
        """Ask, on a second connection because ours may be in a failed transaction, whom we waited for."""
        if self._is_cancelled:
            return ""
        try:
            with open_session(self.address, self.limits, application=self.application) as second:
                names = [relation.as_string(second.connection) for relation in relations]
                ourselves = [self.connection.info.backend_pid, second.connection.info.backend_pid]
                found = second.rows(locks.READ_BLOCKERS, {"relations": names, "ourselves": ourselves})
        except PgtendError as error:
            return f"Who blocks could not be asked: {error.message}."
        if not found:
            return ""
        return f"In the way: {'; '.join(str(blocker) for blocker in found)}. See docs/runbooks/locked-out.md."


@contextmanager
def open_session(address: Address, limits: Limits, *, application: str) -> Generator[Session]:
    """Connect, refuse what we must not work through, and close at the end whatever happens."""
    name = application.encode("ascii", "replace")[:_NAME_LENGTH].decode()
    with _connect(address, limits, name) as connection:
        session = Session(address, limits, name, connection)
        refuse_unsupported(session.facts)
        refuse_pooler(session.facts, promised_pid=connection.info.backend_pid, application=name)
        if session.facts.major >= _WATCHED_SINCE:
            session.row(WATCH_CLIENT)
        yield session


def statement(
    asked: Query[Row], identifiers: Mapping[str, sql.Composable], *, has_params: bool = True
) -> sql.SQL | sql.Composed:
    """Put identifiers into a statement; one without identifiers may contain braces of its own."""
    text = sql.SQL(asked.text)
    if not identifiers:
        return text
    # In a COPY without parameters the driver looks for none, and leaves a percent sign that was written twice as it is.
    parts = {name: _escaped(part) if has_params else part for name, part in identifiers.items()}
    return text.format(**parts)


def _escaped(part: sql.Composable) -> sql.Composable:
    """Let a name hold a percent sign: the driver looks for parameters in the finished text, names included."""
    return sql.SQL(cast("LiteralString", part.as_string(None).replace("%", "%%")))


@contextmanager
def _connect(address: Address, limits: Limits, application: str) -> Generator[psycopg.Connection[TupleRow]]:
    secret = {"password": address.password.get_secret_value()} if address.password else {}
    params = {**_KEEPALIVES, **address.params, **secret, **_settings(address, limits, application)}
    try:
        connection = psycopg.connect(make_conninfo("", **params), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise translate(error, address) from cause_of(error)
    with closing(connection):
        yield connection


def _settings(address: Address, limits: Limits, application: str) -> dict[str, str]:
    options = {
        "statement_timeout": _milliseconds(limits.statement_timeout),
        "lock_timeout": _milliseconds(limits.lock_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(_IDLE_IN_TRANSACTION),
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        # Compiling a question about ten thousand tables takes five times as long as answering it.
        "jit": "off",
        "search_path": SEARCH_PATH,
    }
    ours = " ".join(f"-c {name}={value}" for name, value in options.items())
    return {
        "application_name": application,
        # A database without an encoding would give all text as bytes.
        "client_encoding": "UTF8",
        "connect_timeout": str(max(2, round(_seconds(limits.connect_timeout)))),
        "options": f"{address.params.get('options', '')} {ours}".strip(),
    }


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def _milliseconds(span: timedelta) -> int:
    # Zero would mean no limit at all.
    return max(1, round(_seconds(span) * 1000))
