"""What the pages wait for: every answer of the API over a year of ten databases, alone and while others ask too."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

import httpx
import psycopg
import pytest
from psycopg.client_cursor import ClientCursor

from bed.airflow_metadata import make_sqlite
from bed.airflow_site import free_ports
from bed.clusters import Clusters, LiveDatabase
from bed.ledgers import new_ledger
from bench.figures import Section, Table, milliseconds, prose

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bed.face import Face

NAMES: Final = tuple(f"clinic_{number:02d}" for number in range(1, 11))
GOAL: Final = 0.1
ALONE, CALLERS, LOAD = 15, 4, 20.0
YEAR: Final = Path(__file__).parents[1] / "bed" / "year.sql"
WRITTEN: Final = {"/databases/{database}/receipts/{run_id}", "/databases/{database}/receipts/{run_id}/page"}
"""Answers that come out of a vault, and are as fast as that."""


@dataclass(slots=True)
class Seen:
    """How long one answer took, and how large it was."""

    size: int = 0
    alone: list[float] = field(default_factory=list[float])
    under_load: list[float] = field(default_factory=list[float])


def measure() -> Section:
    """Ask for everything, first one after the other, then with others who never pause."""
    with _served() as (site, face):
        seen = {address: Seen() for address in _addresses(face)}
        _ask_alone(site, face, seen)
        _ask_together(site, face, seen)
        rows = _size_of(face.reporting)
    slow = [address for address, one in seen.items() if _high(one.under_load) > GOAL]
    calm = [address for address, one in seen.items() if _high(one.alone) > GOAL]
    return Section(
        title="Pages and API",
        measured=prose(f"""
            Every address of the API that reads the ledger, over a real HTTP server in one process, with the login
            checked each time. The ledger holds a year of {len(NAMES)} databases: {rows}. Alone: {ALONE} times one
            after the other. Under load: {CALLERS} callers who ask for everything in turn, without a pause, for
            {LOAD:.0f} s; that is {sum(len(one.under_load) for one in seen.values()) / LOAD:.0f} answers a second.
            The goal is {GOAL * 1000:.0f} ms.
        """),
        tables=(Table(_COLUMNS, tuple(_rows(seen))),),
        remarks=(_verdict("Alone", calm), _verdict("Under load", slow)),
    )


_COLUMNS: Final = ("answer", "bytes", "alone", "95 % within", "under load", "95 % within")


def _rows(seen: Mapping[str, Seen]) -> Iterator[tuple[str, ...]]:
    for address, one in sorted(seen.items(), key=lambda found: -_high(found[1].under_load)):
        times = (median(one.alone), _high(one.alone), median(one.under_load), _high(one.under_load))
        yield (f"`{address.replace(NAMES[0], '…')}`", str(one.size), *map(milliseconds, times))


def _verdict(when: str, slow: list[str]) -> str:
    if not slow:
        return f"{when}, 95 % of each answer come within the goal."
    return f"{when}, {len(slow)} answers miss the goal: {', '.join(slow)}."


def _high(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


@contextmanager
def _served() -> Generator[tuple[str, Face]]:
    """Fill a ledger, and serve the API over it from a process of its own, as Airflow's api-server does."""
    home = Path(tempfile.mkdtemp(prefix="pgtend-bench-"))
    database = f"sqlite:///{home}/airflow.db"
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
        "AIRFLOW__CORE__FERNET_KEY": "",
    }
    make_sqlite(home / "airflow.db")
    from bed.face import Face  # noqa: PLC0415 - Airflow reads its settings when it is imported

    clusters = Clusters()
    try:
        with new_ledger(clusters.server(18)) as reporting, pytest.MonkeyPatch.context() as environ:
            _fill(reporting)
            with Face.shown(reporting, home, environ) as face:
                blocks = "".join(f"  {name}: {{}}\n" for name in NAMES)
                face.write_fleet(f"fleet: clinic\nledger: {{connection: ledger}}\ndatabases:\n{blocks}")
                with _listening(face.app) as site:
                    yield site, face
    finally:
        clusters.close()


@contextmanager
def _listening(app: FastAPI) -> Generator[str]:
    (port,) = free_ports(1)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(app, port), daemon=True)
    process.start()
    site = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{site}/static/page.js")
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.1)
    try:
        yield site
    finally:
        process.terminate()
        process.join()


def _serve(app: FastAPI, port: int) -> None:
    import uvicorn  # noqa: PLC0415 - only the server's own process needs it

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def _fill(reporting: LiveDatabase) -> None:
    with psycopg.connect(reporting.superuser.conninfo, cursor_factory=ClientCursor, autocommit=True) as connection:
        connection.execute(YEAR.read_text(encoding="utf-8"), {"names": list(NAMES)})  # type: ignore[arg-type] - a file of ours
        connection.execute("VACUUM ANALYZE")


def _size_of(reporting: LiveDatabase) -> str:
    counted = "SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE schemaname = 'reporting'"
    with psycopg.connect(reporting.superuser.conninfo) as connection:
        found = connection.execute(counted).fetchall()

    def of(prefix: str) -> str:
        return f"{sum(rows for name, rows in found if name.startswith(prefix)):,}"

    return f"{of('run_')} runs, {of('statement_day_')} nights of statements, {of('health_reading_')} looks"


def _addresses(face: Face) -> Iterator[str]:
    """Fill in every address that reads."""
    with psycopg.connect(face.reporting.superuser.conninfo) as connection:
        found = connection.execute(
            "SELECT max(run_id) FROM reporting.drill WHERE database = %s", (NAMES[0],)
        ).fetchone()
        text = connection.execute("SELECT min(fingerprint) FROM reporting.statement").fetchone()
    assert found
    assert text
    values = {"{database}": NAMES[0], "{run_id}": found[0], "{fingerprint}": text[0], "{table}": "public.visits"}
    for path, methods in face.app.openapi()["paths"].items():
        address = path.removeprefix("/api/v1")
        if "get" not in methods or address in WRITTEN:
            continue
        for name, value in values.items():
            address = address.replace(name, str(value))
        more = "?" if "/database/" not in address else f"?database={NAMES[0]}&"
        if "{metric}" in address:
            yield f"{address.replace('{metric}', 'database_size')}{more}days=365"
            yield f"{address.replace('{metric}', 'connections_used')}{more}days=7"
        else:
            yield f"{address}{more}".rstrip("?&")


def _ask_alone(site: str, face: Face, seen: Mapping[str, Seen]) -> None:
    with httpx.Client(base_url=f"{site}/api/v1") as client:
        for nth, (address, one) in enumerate(seen.items()):
            headers = {"Authorization": f"Bearer {face.token(f'person-{nth}', 'admin')}"}
            one.size = len(_get(client, address, headers).content)
            for _ in range(ALONE):
                began = time.perf_counter()
                _get(client, address, headers)
                one.alone.append(time.perf_counter() - began)


def _ask_together(site: str, face: Face, seen: Mapping[str, Seen]) -> None:
    until = time.monotonic() + LOAD

    def call(caller: int) -> None:
        # Each of many people: one alone would be told to slow down.
        people = [f"Bearer {face.token(f'caller-{caller}-{number}', 'admin')}" for number in range(40)]
        addresses = list(seen)
        addresses = addresses[caller * 7 :] + addresses[: caller * 7]
        with httpx.Client(base_url=f"{site}/api/v1", timeout=30) as client:
            asked = 0
            while time.monotonic() < until:
                address = addresses[asked % len(addresses)]
                began = time.perf_counter()
                _get(client, address, {"Authorization": people[asked % len(people)]})
                seen[address].under_load.append(time.perf_counter() - began)
                asked += 1

    callers = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


def _get(client: httpx.Client, address: str, headers: Mapping[str, str]) -> httpx.Response:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, (address, answer.text)
    return answer
