"""A database whose owner planted code for whoever restores it: whatever it does, it does behind the walls."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.drilling import Ground
from bed.restoring import Stage
from pgtend.drill.model import AT_TIMES, CheckName, CheckOutcome, DrillOutcome
from pgtend.postgres.session import Session

HOSTILE = Path(__file__).parents[1] / "bed" / "hostile.sql"


@dataclass(slots=True)
class Bait:
    """A TCP port and a unix socket that hang up on whoever comes, and remember it."""

    folder: Path
    lines: dict[str, socket.socket] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    is_over: bool = False

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.lines["tcp"].getsockname()[1])

    def answer(self) -> None:
        """Take everybody who comes, until it is over."""
        while not self.is_over:
            for line in select.select(list(self.lines.values()), [], [], 0.05)[0]:
                line.accept()[0].close()
                self.reached.append(next(name for name, one in self.lines.items() if one is line))

    def forget(self) -> list[str]:
        """Say what was reached or left behind since the last time."""
        touched = [path for path in self.folder.iterdir() if not path.is_socket()]
        found = sorted([*(path.name for path in touched), *set(self.reached)])
        for path in touched:
            path.unlink()
        self.reached.clear()
        return found


@pytest.fixture
def bait() -> Generator[Bait]:
    """Put out a folder, a TCP port and a unix socket that every account of this machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pgtend-open-"))
    folder.chmod(0o777)
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix,
    ):
        unix.bind(str(folder / ".s.PGSQL.5432"))
        (folder / ".s.PGSQL.5432").chmod(0o777)
        unix.listen()
        made = Bait(folder, {"tcp": tcp, "unix": unix})
        answering = threading.Thread(target=made.answer)
        answering.start()
        yield made
        made.is_over = True
        answering.join()
    shutil.rmtree(folder)


@pytest.fixture
def victim(stage: Stage, bait: Bait) -> Generator[LiveDatabase]:
    """Give a hostile database and a backup of it; what it reached while it was made is forgotten."""
    with new_database(stage.server) as made:
        made.run("CREATE EXTENSION dblink SCHEMA public")
        subprocess.run(
            (
                stage.server.tools.path("psql"),
                *("--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-d", made.superuser.conninfo, "-f", "-"),
            ),
            input=HOSTILE.read_text(encoding="utf-8")
            .replace(":outside", str(bait.folder))
            .replace(":port", str(bait.port))
            .replace(":socket", str(bait.folder)),
            text=True,
            check=True,
            capture_output=True,
        )
        stage.take(made.name)
        yield made


def test_nothing_outside_is_reached_by_a_hostile_backup(stage: Stage, victim: LiveDatabase, bait: Bait) -> None:
    """A check, an index, a trigger, a policy, a materialized view, an event trigger and a job table all try in vain."""
    made = bait.forget()
    assert {"tcp", "unix"} <= set(made), "it does reach out where it can"
    assert {"program-check", "program-index", "program-matview", "program-event"} <= set(made)
    tried: list[str] = []

    def try_everything(session: Session, _outcome: DrillOutcome) -> None:
        """Let a superuser of the copy do what a hostile superuser of production could have left behind."""
        session.run(statement("SET search_path = public"))
        assert session.rows(asked("SELECT public.reach('superuser')::text AS word"))[0].word == "true"
        tried.append("superuser")

    ground = Ground(stage=stage, app=victim.role_name("app"), rules={"smoke": []}, on_copy=(try_everything,))
    outcome = ground.drill(extras=AT_TIMES)
    assert bait.forget() == []
    assert tried == ["superuser"]
    assert ground.error is None, ground.error
    checks = {check.name: check.outcome for check in outcome.checks}
    assert {name for name, found in checks.items() if found is not CheckOutcome.PASSED} == {CheckName.SMOKE}
