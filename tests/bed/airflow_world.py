"""A small fleet inside Airflow: one real database, a ledger, a vault, and two channels that keep what they are sent."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest
from airflow.dag_processing.dagbag import DagBag

from bed.clusters import LiveDatabase
from bed.ledgers import member_of
from bed.message_sinks import MailSink, WebhookSink, mail_sink, webhook_sink
from pgtend.postgres.address import Address

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

ROOT: Final = Path(__file__).resolve().parents[2]
CANARY_ROW: Final = "canary-of-a-row-9f31"

FLEET: Final = """
fleet: clinic
owner: data-platform
ledger:
  connection: ledger
alerts:
  channels:
    mail:
      smtp:
        connection: mail
        to: on-call@clinic.test
    chat:
      apprise:
        connection: chat
vaults:
  main:
    {vault}
databases:
  kgc:
    owner: kgc-team
    window:
      start: "00:00"
      end: "00:00"
    limits:
      lock_timeout: 300 ms
      statement_timeout: 5 s
"""


@dataclass(slots=True)
class World:
    """Everything around one pipeline run."""

    source: LiveDatabase
    reporting: LiveDatabase
    tender: Address
    folder: Path
    mail: MailSink
    chat: WebhookSink
    environ: pytest.MonkeyPatch
    printed: pytest.CaptureFixture[str]
    logged: pytest.LogCaptureFixture
    seen: str = ""

    @classmethod
    @contextmanager
    def made(  # noqa: PLR0913, PLR0917 - the parts of a world
        cls,
        source: LiveDatabase,
        reporting: LiveDatabase,
        folder: Path,
        environ: pytest.MonkeyPatch,
        printed: pytest.CaptureFixture[str],
        logged: pytest.LogCaptureFixture,
    ) -> Generator[Self]:
        """Furnish the databases, connect everything, write the fleet file."""
        with ExitStack() as stack:
            mail, chat = stack.enter_context(mail_sink()), stack.enter_context(webhook_sink())
            made = cls(source, reporting, _furnished(source), folder, mail, chat, environ, printed, logged)
            made.connect("kgc", made.tender)
            made.connect("ledger", member_of(reporting, "pgtend_writer"))
            extra = {"disable_ssl": True, "disable_tls": True, "from_email": "pgtend@clinic.test", "retry_limit": 0}
            made.set("mail", {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.port, "extra": extra})
            path = f"json://127.0.0.1:{chat.port}/"
            made.set("chat", {"conn_type": "apprise", "extra": {"config": [{"path": path}]}})
            (folder / "vault").mkdir()
            made.write_fleet()
            yield made

    def write_fleet(self, vault: str = "") -> None:
        """Write the fleet file, with another vault when one is given."""
        path = self.folder / "fleet.yaml"
        path.write_text(FLEET.format(vault=vault or f"folder: {{path: {self.folder / 'vault'}}}"))
        self.environ.setenv("PGTEND_FLEET", str(path))

    def add_to_fleet(self, lines: str) -> None:
        """Write more into the fleet file."""
        path = self.folder / "fleet.yaml"
        path.write_text(f"{path.read_text()}\n{lines}\n")

    def connect(self, name: str, address: Address, **changes: str) -> None:
        """Define an Airflow connection to a database."""
        params = {**address.params, **changes}
        secret = params.pop("password", address.password.get_secret_value() if address.password else "")
        self.set(
            name,
            {
                "conn_type": "postgres",
                "host": params["host"],
                "port": int(params["port"]),
                "schema": params["dbname"],
                "login": params["user"],
                "password": secret,
            },
        )

    def set(self, name: str, connection: Mapping[str, object]) -> None:
        """Define any Airflow connection."""
        self.environ.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))

    def run(
        self, dag_id: str, conf: dict[str, object] | None = None, moment: datetime | None = None, marked: str = ""
    ) -> DagRun:
        """Run a whole DAG in this process, with retries that do not wait; somebody marks some tasks as successful."""
        database, _, pipeline = dag_id.partition(".")
        # Its own file alone: that all of them load together is what tests/airflow/test_dag_files.py sees.
        bag = DagBag(dag_folder=str(ROOT / "dags" / f"{'fleet_' if database == 'fleet' else ''}{pipeline}.py"))
        assert bag.import_errors == {}
        dag = bag.dags[dag_id]
        # `dag.test()` stumbles over a deadline: it looks for it in a table that only the DAG processor fills.
        dag.deadline = None
        for task in dag.tasks:
            task.retry_delay = timedelta(milliseconds=10)
            task.retry_exponential_backoff = 0
        self.log()
        run = dag.test(run_after=moment, run_conf=conf, mark_success_pattern=marked or None)
        self.log()
        return run

    def log(self) -> str:
        """Tell everything that was printed and logged so far."""
        out, err = self.printed.readouterr()
        self.seen += out + err
        return f"{self.seen}\n{self.logged.text}"

    def handed_on(self) -> str:
        """Tell what tasks left for other tasks in Airflow's own database."""
        path = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as metadata:
            return str(metadata.execute("SELECT key, value FROM xcom").fetchall())

    def remembered(self) -> str:
        """Tell everything that Airflow's own database holds: XComs, rendered fields, runs, logs of events."""
        path = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as metadata:
            return "\n".join(metadata.iterdump())

    def environment(self, name: str) -> str:
        """Tell how a connection is defined now."""
        return os.environ[f"AIRFLOW_CONN_{name.upper()}"]

    def messages(self) -> list[str]:
        """Tell the title of every alert so far, by mail; the chat must have got the same."""
        titles = [str(mail["Subject"]) for mail in self.mail.mails]
        posted = [post["title"] for post in self.chat.posts]
        assert posted == titles, f"mail: {titles}, chat: {posted}"
        return titles


def _furnished(source: LiveDatabase) -> Address:
    """Make a table whose statistics are missing, owned by the role that tends it."""
    tender = source.new_role("tender")
    source.run(
        f'GRANT ALL ON SCHEMA public TO "{tender.user}"',
    )
    source.run(
        "CREATE TABLE public.visits (id bigint, note text) WITH (autovacuum_enabled = off)",
        "INSERT INTO public.visits SELECT n, 'canary-of-a-row-9f31' FROM generate_series(1, 1000) AS n",
        address=tender,
    )
    return tender
