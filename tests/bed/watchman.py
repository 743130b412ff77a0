"""The watchdog as people run it: the real command, in rounds of a second, and everything that it tells."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from bed.airflow_site import connection
from bed.clusters import LiveDatabase
from bed.ledgers import member_of
from bed.shell import Shell
from bed.watched import Mailer, Site

FLEET: Final = """\
fleet: watched
ledger: {{connection: ledger}}
vaults: {{main: {{folder: {{path: {home}/vault}}}}}}
alerts:
  channels:
    mail: {{smtp: {{connection: mail, to: ops@clinic.test}}}}
    chat: {{apprise: {{connection: chat}}}}
watchdog: {{airflow: "{airflow}", heartbeat: switch, every: 1 s}}
databases:
  kgc:
"""
PATIENCE: Final = 240


@dataclass
class Watchman:
    """A running watchdog, what it watches beside Airflow and the ledger, and where its messages arrive."""

    chat: Site = field(default_factory=Site)
    switch: Site = field(default_factory=Site)
    mailer: Mailer = field(default_factory=Mailer)

    @classmethod
    @contextmanager
    def on_duty(cls, home: Path, airflow: str, reporting: LiveDatabase) -> Generator[Self]:
        """Start the watchdog of a fleet, and wait until it has introduced itself."""
        made = cls()
        (home / "vault").mkdir()
        shell = Shell(home, more=made._connections(reporting))
        shell.write_fleet(FLEET.format(home=home, airflow=airflow))
        with ExitStack() as stack:
            for part in (made.chat, made.switch, made.mailer):
                part.start()
                stack.callback(part.stop)
            running = shell.start("watchdog")
            try:
                made.wait("its first words", lambda: len(made.chat.posts) == 1)
                yield made
                running.send_signal(signal.SIGTERM)
                assert shell.finish(running).status == 128 + signal.SIGTERM
            finally:
                running.kill()
                running.communicate()

    @property
    def told(self) -> list[str]:
        """What people heard in the chat after the introduction, as the headlines in it."""
        said = (line for post in self.chat.posts[1:] for line in post["message"].splitlines())
        return [line.split(",")[0] for line in said if line.startswith(("BROKEN", "WELL AGAIN", "STILL"))]

    def tells(self, headline: str) -> int:
        """Wait for a message, and tell how many rounds it took."""
        before = len(self.switch.asked)
        self.wait(headline, lambda: self.told[-1:] == [headline])
        return len(self.switch.asked) - before

    def goes_on(self, rounds: int) -> None:
        """Let the watchdog look so many times more; each look that leaves nobody untold asks the dead-man's switch."""
        enough = len(self.switch.asked) + rounds
        self.wait("more rounds", lambda: len(self.switch.asked) >= enough)

    def wait(self, what: str, happened: Callable[[], bool]) -> None:
        """Wait until something happened, and not for ever."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, f"waited for {what}; told was {self.told}"
            time.sleep(0.05)

    def _connections(self, reporting: LiveDatabase) -> dict[str, str]:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "pgtend@clinic.test"}
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.mailer.sink.port, "extra": extra}
        chat = {"conn_type": "apprise", "extra": {"config": [{"path": f"json://127.0.0.1:{self.chat.port}/"}]}}
        return {
            "AIRFLOW_CONN_LEDGER": connection(member_of(reporting, "pgtend_writer")),
            "AIRFLOW_CONN_MAIL": json.dumps(mail),
            "AIRFLOW_CONN_CHAT": json.dumps(chat),
            "AIRFLOW_CONN_SWITCH": json.dumps({"conn_type": "http", "host": self.switch.address}),
        }
