"""A physical standby of a throwaway server: the same bytes, following by streaming replication."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from bed.clusters import statement, tools_of
from pgtend.postgres.throwaway import ThrowawayServer

PASSWORD = "worthless-outside-this-test"


@contextmanager
def primary_and_standby(major: int) -> Generator[tuple[ThrowawayServer, ThrowawayServer]]:
    """Run a server, and another one that follows it; both can be reached as superuser and by TCP."""
    with (
        ThrowawayServer(tools=tools_of(major), listens_on_tcp=True) as primary,
        ThrowawayServer(tools=tools_of(major), listens_on_tcp=True) as standby,
    ):
        with primary.session() as session:
            session.run(statement(f"CREATE ROLE follower REPLICATION LOGIN PASSWORD '{PASSWORD}'"))
        standby.stop()
        primary.stop()
        shutil.rmtree(standby.data)
        shutil.copytree(primary.data, standby.data)
        primary.start()
        _follow(standby, primary)
        standby.password = primary.password
        standby.start()
        yield primary, standby


def _follow(standby: ThrowawayServer, primary: ThrowawayServer) -> None:
    (standby.data / "standby.signal").touch()
    place = f"host=127.0.0.1 port={primary.port} user=follower password={PASSWORD}"
    with (standby.data / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"primary_conninfo = '{place}'\n")
    account = standby._account
    if account:
        for path in (standby.data, *standby.data.rglob("*")):
            account.own(path)
