"""Real PostgreSQL servers for tests: one of each supported end of the range, and a fresh database for every test."""

from __future__ import annotations

import atexit
import functools
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql
from pydantic import SecretStr

from pgtend.fleet.model import Limits
from pgtend.postgres.accounts import OutOfReach, server_account
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.postgres.tools import ClientTools, ToolMissing
from pgtend.sqlfiles import Query

MAJORS = (15, 18)
ROOT = Path(__file__).parents[2]
PARTS = ROOT / ".parts"


def tools_of(major: int) -> ClientTools:
    """Find the PostgreSQL of a test; one that is missing is an error and never a skipped test."""
    own = f"{major}:{PARTS / 'pg' / str(major) / 'bin'}"
    try:
        tools = ClientTools.find(major, {"PGTEND_PG_BINDIRS": f"{os.environ.get('PGTEND_PG_BINDIRS', '')},{own}"})
        tools.path("postgres")
    except ToolMissing as error:
        error.hint = "Run `make parts`: it installs what the tests need."
        raise
    return ClientTools(major, _within_reach(tools.folder))


@functools.cache
def _within_reach(folder: Path) -> Path:
    """Copy our parts when the repository lies below a folder that the server's account cannot enter, such as /root."""
    account = server_account()
    try:
        if account:
            account.must_reach(folder)
    except OutOfReach:
        if not folder.is_relative_to(PARTS):
            raise
        copied = Path(tempfile.mkdtemp(prefix="pgtend-parts-"))
        atexit.register(shutil.rmtree, copied)
        copied.chmod(0o755)
        shutil.copytree(PARTS, copied / "parts", symlinks=True)
        return copied / "parts" / folder.relative_to(PARTS)
    return folder


def statement(text: str) -> Query[None]:
    """Wrap a statement that a test writes out itself."""
    return Query(name="statement of a test", text=text, row=type(None), purpose="test")


@dataclass(frozen=True, slots=True)
class Word:
    """The row of a query that a test writes out itself: one text."""

    word: str


def asked(text: str) -> Query[Word]:
    """Wrap a query of a test whose only column is `word`."""
    return Query(name="query of a test", text=text, row=Word, purpose="test")


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """An empty database of one test, with a role that owns it."""

    server: ThrowawayServer
    name: str
    owner: Address

    @property
    def superuser(self) -> Address:
        """The way in as superuser."""
        return self.server.superuser(self.name)

    @contextmanager
    def session(
        self, address: Address | None = None, limits: Limits | None = None, application: str = "pgtend:test"
    ) -> Generator[Session]:
        """Open a session, as superuser when nobody else is named."""
        with open_session(address or self.superuser, limits or Limits(), application=application) as session:
            yield session

    def run(self, *statements: str, address: Address | None = None) -> None:
        """Run statements of a test one after the other, as superuser when nobody else is named."""
        with self.session(address) as session:
            for text in statements:
                session.run(statement(text))

    def new_role(self, name: str, options: str = "LOGIN") -> Address:
        """Make a role with a password, and give its way in; it is dropped with the database."""
        password = SecretStr(secrets.token_urlsafe(12))
        create = f"CREATE ROLE {{role}} {options} PASSWORD {{password}}"
        with self.session() as session:
            session.run(
                statement(create),
                role=sql.Identifier(self.role_name(name)),
                password=sql.Literal(password.get_secret_value()),
            )
        return self.server.role(self.role_name(name), password, self.name)

    def role_name(self, name: str) -> str:
        """Name a role so that two tests on one server do not meet."""
        return f"{self.name}_{name}"


@dataclass(slots=True)
class Clusters:
    """The servers of a test session: each is started when the first test asks for it."""

    _running: dict[int, ThrowawayServer] = field(default_factory=dict)
    _life: ExitStack = field(default_factory=ExitStack)

    def server(self, major: int) -> ThrowawayServer:
        """Give the server of one major version."""
        if major not in self._running:
            server = ThrowawayServer(tools=tools_of(major), listens_on_tcp=True)
            self._running[major] = self._life.enter_context(server)
        return self._running[major]

    def close(self) -> None:
        """Stop all of them."""
        self._life.close()


@contextmanager
def new_database(server: ThrowawayServer, template: str = "template1") -> Generator[LiveDatabase]:
    """Make a database for one test, and drop it with all roles that the test made for it."""
    name = f"t{secrets.token_hex(5)}"
    password = SecretStr(secrets.token_urlsafe(12))
    owner = f"{name}_owner"
    with server.session() as session:
        session.run(
            statement("CREATE ROLE {role} LOGIN PASSWORD {password}"),
            role=sql.Identifier(owner),
            password=sql.Literal(password.get_secret_value()),
        )
        session.run(
            statement("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} STRATEGY file_copy"),
            name=sql.Identifier(name),
            template=sql.Identifier(template),
            owner=sql.Identifier(owner),
        )
    try:
        yield LiveDatabase(server, name, server.role(owner, password, name))
    finally:
        drop_database(server, name)


@contextmanager
def copy_of(template: LiveDatabase) -> Generator[LiveDatabase]:
    """Make a copy of a database that nobody uses just now, owned by the same role, and drop it afterwards."""
    name = f"t{secrets.token_hex(5)}"
    owner = template.owner
    password = owner.password or SecretStr("")
    with template.server.session() as session:
        session.run(
            statement("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} STRATEGY file_copy"),
            name=sql.Identifier(name),
            owner=sql.Identifier(owner.user),
            template=sql.Identifier(template.name),
        )
    try:
        yield LiveDatabase(template.server, name, template.server.role(owner.user, password, name))
    finally:
        drop_database(template.server, name)


def wanted_majors(condition: str) -> list[int]:
    """Read the condition of a `pg` marker, such as `>= 17`."""
    match = re.fullmatch(r"(>=|<=|<|>|==)\s*(\d+)", condition)
    if match is None:
        raise ValueError(f"a pg marker reads like '>= 17', not '{condition}'")
    limit = int(match.group(2))
    fits = {
        ">=": lambda major: major >= limit,
        "<=": lambda major: major <= limit,
        ">": lambda major: major > limit,
        "<": lambda major: major < limit,
        "==": lambda major: major == limit,
    }[match.group(1)]
    return [major for major in MAJORS if fits(major)]


def drop_database(server: ThrowawayServer, name: str) -> None:
    """Drop a database of a test, and the roles that were made for it."""
    roles = asked("SELECT rolname::text AS word FROM pg_roles WHERE starts_with(rolname, %(prefix)s)")
    with server.session() as session:
        session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=sql.Identifier(name))
        for role in session.rows(roles, {"prefix": f"{name}_"}):
            session.run(statement("DROP ROLE {role}"), role=sql.Identifier(role.word))
