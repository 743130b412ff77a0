"""A server that is killed is an outage, whichever of its processes tells us first."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import sql

from bed.clusters import MAJORS, LiveDatabase, Word, asked, tools_of
from pgtend.postgres.errors import ConnectionLost
from pgtend.postgres.session import Session
from pgtend.postgres.throwaway import ThrowawayServer

FILL = "CREATE TABLE public.scans AS SELECT md5(x::text) AS word FROM generate_series(1, 400000) AS x"
SHARE = (
    "SET parallel_setup_cost = 0",
    "SET parallel_tuple_cost = 0",
    "SET min_parallel_table_scan_size = 0",
    "SET max_parallel_workers_per_gather = 2",
)
# Every row goes to the leader: workers whose leader stands still wait for it.
READ_SCANS = asked("SELECT word FROM public.scans WHERE sha512(sha512(word::bytea)) <> sha256(word::bytea)")
WORKERS = asked("SELECT pid::text AS word FROM pg_stat_activity WHERE backend_type = 'parallel worker'")


def read_scans(session: Session) -> list[Word]:
    """Read a table that other processes of the server help with."""
    for setting in SHARE:
        session.connection.execute(sql.SQL(setting))
    return session.rows(READ_SCANS)


def workers_at_work(server: ThrowawayServer) -> bool:
    """Tell whether the statement has its workers."""
    with server.session() as session:
        return len(session.rows(WORKERS)) == 2


@pytest.mark.parametrize("major", MAJORS)
def test_lost_workers_of_a_killed_server_are_an_outage(major: int) -> None:
    """Workers notice first; their leader then calls it an object in a wrong state, which no statement ever was."""
    with ThrowawayServer(tools=tools_of(major)) as server, ThreadPoolExecutor(1) as aside:
        LiveDatabase(server, "postgres", server.superuser()).run(FILL)
        with server.session() as session:
            leader = session.connection.info.backend_pid
            reading = aside.submit(read_scans, session)
            while not workers_at_work(server):
                time.sleep(0.02)
            os.kill(leader, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(server.pid, signal.SIGKILL)
            time.sleep(0.5)
            os.kill(leader, signal.SIGCONT)
            with pytest.raises(ConnectionLost, match="parallel worker"):
                reading.result(timeout=30)
        server.stop(signal.SIGKILL)
