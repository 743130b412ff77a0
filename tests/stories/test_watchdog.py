"""The watchdog against real servers: whatever is stopped is told once, and once more when it is back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, tools_of
from bed.ledgers import member_of, new_ledger
from bed.stored_backups import folder_vault, put_backup
from bed.watched import Mailer, Site
from pgtend.fleet.model import Fleet
from pgtend.ledger.anchor import verify_and_anchor
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.postgres.address import Address
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.watchdog.connections import Connections
from pgtend.watchdog.errors import AlreadyWatching, NobodyTold
from pgtend.watchdog.job import RoundReport, raise_if_untold, watch_once
from pgtend.watchdog.state import remembering

# A moment after the nightly work of a day that has begun.
NOW = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0) + timedelta(days=2)
SECRET = "hunter2-canary"
LOOKED = """
    INSERT INTO reporting.health_current (database, at, stale_after, server, level, findings, pools, memory)
    VALUES ('kgc', %(at)s, '20 min', '15.20', 'ok', '[]', '[]', '{}')
    ON CONFLICT (database) DO UPDATE SET at = excluded.at
"""


@dataclass
class Post:
    """Everything around one watchdog."""

    folder: Path
    reporting: LiveDatabase
    writer: Address
    airflow: Site = field(default_factory=Site)
    chat: Site = field(default_factory=Site)
    switch: Site = field(default_factory=Site)
    mailer: Mailer = field(default_factory=Mailer)
    now: datetime = NOW
    said: list[str] = field(default_factory=list[str])
    is_looked_at: bool = True
    heard: tuple[int, int] = (0, 0)
    dated: set[Path] = field(default_factory=set[Path])

    def fleet(self) -> Fleet:
        """Give the fleet, with one database whose backups are daily."""
        return Fleet.model_validate(
            {
                "fleet": "clinic",
                "ledger": {"connection": "ledger"},
                "vaults": {"main": {"folder": {"path": str(self.folder / "vault")}}},
                "alerts": {
                    "channels": {
                        "mail": {"smtp": {"connection": "mail", "to": ["ops@clinic.test"]}},
                        "chat": {"apprise": {"connection": "chat"}},
                    }
                },
                "watchdog": {"airflow": self.airflow.address, "heartbeat": "switch"},
                "databases": {"kgc": {rules: {"enabled": False} for rules in ("drill", "indexes", "statements")}},
            }
        )

    def connections(self) -> Connections:
        """Give the connections as Airflow's environment defines them."""
        address = self.writer
        ledger = {
            "conn_type": "postgres",
            "host": address.params["host"],
            "port": address.params["port"],
            "schema": address.database,
            "login": address.user,
            "password": address.password.get_secret_value() if address.password else "",
        }
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.mailer.sink.port}
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "pgtend@clinic.test"}
        hook = {"path": f"json://127.0.0.1:{self.chat.port}/?token={SECRET}"}
        return Connections(
            {
                "AIRFLOW_CONN_LEDGER": json.dumps(ledger),
                "AIRFLOW_CONN_MAIL": json.dumps({**mail, "extra": extra}),
                "AIRFLOW_CONN_CHAT": json.dumps({"conn_type": "apprise", "extra": {"config": [hook]}}),
                "AIRFLOW_CONN_SWITCH": json.dumps({"conn_type": "http", "host": f"{self.switch.address}/{SECRET}"}),
            }
        )

    def look(self, later: timedelta = timedelta(minutes=5)) -> RoundReport:
        """Let one period pass, and look."""
        self.now += later
        if self.is_looked_at:
            self.look_at_health()
        memory = self.folder / "state" / "clinic.json"
        report = watch_once(self.fleet(), self.connections(), memory, self.said.append, clock=lambda: self.now)
        assert SECRET not in "".join(self.said)
        return report

    def look_at_health(self) -> None:
        """Leave what the pipeline `kgc.health` leaves, as long as the ledger is there."""
        with self.reporting.session() as session:
            session.connection.execute(LOOKED, {"at": self.now - timedelta(minutes=2)})

    def told(self) -> tuple[list[str], list[str]]:
        """Give what came by mail and by chat since the last time."""
        mails, posts = self.mailer.sink.texts(), [f"{post['title']}\n{post['message']}" for post in self.chat.posts]
        new = mails[self.heard[0] :], posts[self.heard[1] :]
        self.heard = (len(mails), len(posts))
        assert SECRET not in "".join(mails + posts)
        return new

    def do_the_nightly_work(self, at: datetime) -> None:
        """Leave what a good night leaves: a backup, fresh statistics, an anchored audit; all of that night."""
        vault = folder_vault(self.folder / "vault")
        put_backup(vault, at)
        with self.reporting.session(self.writer) as session:
            ledger = DatabaseLedger(session)
            with ledger.run(Subject("kgc", "analyze", "airflow")) as run:
                pass
            verify_and_anchor("clinic", ledger, vault, self.said.append)
        with self.reporting.session() as session:
            session.connection.execute(
                "UPDATE reporting.run SET ended_at = %s WHERE run_id = %s", (at + timedelta(minutes=5), run.run_id)
            )
        for path in (self.folder / "vault").rglob("*.json"):
            if path not in self.dated:
                os.utime(path, (at.timestamp(), at.timestamp()))
                self.dated.add(path)


@pytest.fixture(scope="module")
def reporting() -> Generator[LiveDatabase]:
    """Make a ledger on a server that these tests may stop."""
    with ThrowawayServer(tools=tools_of(15)) as server, new_ledger(server) as made:
        yield made


@pytest.fixture(scope="module")
def writer(reporting: LiveDatabase) -> Address:
    """Make the role that the watchdog logs in as."""
    return member_of(reporting, "pgtend_writer")


@pytest.fixture
def post(reporting: LiveDatabase, writer: Address, tmp_path: Path) -> Generator[Post]:
    """Start everything, after a night in which all went well, and let the watchdog introduce itself."""
    made = Post(tmp_path, reporting, writer)
    (tmp_path / "vault").mkdir()
    parts = (made.airflow, made.chat, made.switch, made.mailer)
    for part in parts:
        part.start()
    made.do_the_nightly_work(NOW - timedelta(hours=18))
    first = made.look()
    assert first.broken == (), first.broken
    mails, posts = made.told()
    assert len(mails) == len(posts) == 1
    yield made
    for part in parts:
        part.stop()


def test_when_all_is_well_only_the_dead_mans_switch_hears_of_it(post: Post) -> None:
    """A sign of life each round, and not a word to people."""
    before = len(post.switch.asked)
    assert [post.look().notices for _ in range(3)] == [(), (), ()]
    assert post.told() == ([], [])
    assert len(post.switch.asked) == before + 3


def stop_ledger(post: Post) -> None:
    """Stop the ledger's server."""
    post.is_looked_at = False
    post.reporting.server.stop()


def start_ledger(post: Post) -> None:
    """Start it again."""
    post.reporting.server.start()
    post.is_looked_at = True


def unmount_vault(post: Post) -> None:
    """Take the vault's folder away."""
    (post.folder / "vault").rename(post.folder / "elsewhere")


def mount_vault(post: Post) -> None:
    """Bring it back."""
    (post.folder / "elsewhere").rename(post.folder / "vault")


@pytest.mark.parametrize(
    ("stop", "start", "key", "says"),
    [
        (stop_ledger, start_ledger, "ledger", "the ledger does not answer"),
        (unmount_vault, mount_vault, "vault.main", "there is no folder"),
    ],
)
def test_what_is_stopped_is_told_once_and_once_when_it_is_back(
    post: Post, stop: object, start: object, key: str, says: str
) -> None:
    """Within one period each time, through every channel, and nothing else is said to be broken because of it.

    How a real scheduler, api-server and mailer stop is seen in `test_killed_airflow.py`.
    """
    assert callable(stop)
    assert callable(start)
    stop(post)
    try:
        report = post.look()
        assert [look.key for look in report.broken] == [key]
        (mail,), (chat,) = post.told()
        assert says in mail
        assert says in chat
        assert [post.look().notices for _ in range(2)] == [(), ()]
        assert post.told() == ([], [])
    finally:
        start(post)
    assert post.look().broken == ()
    (mail,), (chat,) = post.told()
    assert f"WELL AGAIN: {key}, after 15 min" in mail
    assert f"{key} is well again" in chat
    assert post.look().notices == ()


def test_a_dead_mailer_is_told_by_the_other_channel(post: Post) -> None:
    """Before there is anything else to tell, and the mail that it is back comes by mail too."""
    post.mailer.stop()
    post.look()
    post.look()
    mails, posts = post.told()
    assert (len(mails), len(posts)) == (0, 1)
    assert "the alert channel 'mail' takes no message" in posts[0]
    post.mailer.start()
    post.look()
    mails, posts = post.told()
    assert (len(mails), len(posts)) == (1, 1)
    assert "channel.mail is well again" in mails[0]


def test_with_every_channel_dead_the_dead_mans_switch_hears_nothing(post: Post) -> None:
    """So that it speaks up; and what nobody took is told when somebody listens again."""
    post.mailer.stop()
    post.chat.stop()
    post.airflow.stop()
    before = len(post.switch.asked)
    report = post.look()
    with pytest.raises(NobodyTold, match="no channel took"):
        raise_if_untold(report)
    assert len(post.switch.asked) == before
    for part in (post.mailer, post.chat):
        part.start()
    raise_if_untold(post.look())
    (mail,), _ = post.told()
    assert "Airflow's api-server does not answer" in mail
    assert len(post.switch.asked) == before + 1


def test_a_webhook_that_refuses_is_a_dead_one(post: Post) -> None:
    """It answers, and takes nothing."""
    post.chat.status = HTTPStatus.SERVICE_UNAVAILABLE
    assert [look.key for look in post.look().broken] == ["channel.chat"]
    mails, posts = post.told()
    assert (len(mails), len(posts)) == (1, 0)


def test_a_missing_backup_and_old_statistics_are_told_in_one_message(post: Post) -> None:
    """Although Airflow says that it is healthy, nothing ran tonight."""
    report = post.look(timedelta(days=1))
    assert [look.key for look in report.broken] == ["kgc.backup", "kgc.analyze"]
    (mail,), _ = post.told()
    assert mail.startswith("[clinic production] watchdog: a backup of kgc is overdue, and 1 more")
    assert "docs/runbooks/backup-not-taken.md" in mail
    post.do_the_nightly_work(post.now - timedelta(hours=1))
    assert post.look().broken == ()
    (mail,), _ = post.told()
    assert mail.count("WELL AGAIN") == 2


def test_a_database_that_nobody_looks_at_any_more_is_told(post: Post) -> None:
    """Looks at health are every five minutes, so it takes half an hour and not a day."""
    post.is_looked_at = False
    assert [look.key for look in post.look(timedelta(minutes=20)).broken] == []
    assert [look.key for look in post.look(timedelta(minutes=20)).broken] == ["kgc.health"]
    post.is_looked_at = True
    assert post.look().broken == ()


def test_a_look_from_a_time_to_come_is_no_look(post: Post) -> None:
    """A worker whose clock is a day ahead leaves one; the next look of one that is right replaces it."""
    post.now += timedelta(days=1)
    post.look_at_health()
    post.now -= timedelta(days=1)
    post.is_looked_at = False
    assert [look.key for look in post.look(timedelta(minutes=40)).broken] == ["kgc.health"]
    post.is_looked_at = True
    assert post.look().broken == ()


def test_an_audit_that_is_not_anchored_is_told(post: Post) -> None:
    """Work was written down, and fleet.audit did not run for a day and a half."""
    with post.reporting.session(post.writer) as session, DatabaseLedger(session).run(Subject("kgc", "x", "me")):
        pass
    keys = [look.key for look in post.look(timedelta(days=1, hours=12)).broken]
    assert "fleet.audit" in keys


def test_the_summary_comes_every_week_and_says_what_is_there(post: Post) -> None:
    """Its absence is the signal; it carries the newest receipt into people's mailboxes."""
    post.do_the_nightly_work(post.now + timedelta(days=6, hours=18))
    post.look(timedelta(days=7))
    mails, _ = post.told()
    summary = mails[-1]
    assert "When this summary does not come, find out why" in summary
    assert "kgc.backup:" in summary
    assert "No drill has issued a receipt yet." in summary


def test_a_memory_that_cannot_be_read_is_begun_anew(post: Post) -> None:
    """Better told twice than not at all."""
    post.airflow.stop()
    post.look()
    (post.folder / "state" / "clinic.json").write_text("{half", encoding="utf-8")
    post.look()
    mails, _ = post.told()
    assert sum("BROKEN: airflow.api-server" in mail for mail in mails) == 2
    assert (post.folder / "state" / "clinic.unreadable").exists()


def test_two_watchdogs_of_one_fleet_do_not_both_tell(post: Post) -> None:
    """The second one goes away."""
    with remembering(post.folder / "state" / "clinic.json"), pytest.raises(AlreadyWatching):
        post.look()


def test_the_state_survives_the_end_of_the_process(post: Post) -> None:
    """A restarted service does not tell everything again."""
    post.airflow.stop()
    post.look()
    assert len(post.told()[0]) == 1
    copied = post.folder / "kept.json"
    shutil.copy(post.folder / "state" / "clinic.json", copied)
    assert post.look().notices == ()
    assert json.loads(copied.read_text(encoding="utf-8"))["open"]["airflow.api-server"]["told_at"]
