"""The watchdog as a service and as a line in cron: by the real command, and its mail over real TLS."""

from __future__ import annotations

import base64
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bed.airflow_site import free_ports
from bed.certificates import make_certificates
from bed.compose import PROJECT
from bed.message_sinks import MailSink
from bed.shell import Shell
from bed.watched import Site
from pgtend.drill.receipts.keys import read_signing_key
from pgtend.fleet.alerts import Channel
from pgtend.watchdog.channels import Letter, Way
from pgtend.watchdog.connections import Connections
from pgtend.watchdog.errors import ChannelDown

FLEET = """\
fleet: clinic
watchdog:
  airflow: {address}
  every: 1 s
databases:
  kgc:
"""
LETTER = Letter(title="a title", text="a text", is_good_news=False)
SECRET = "hunter2-canary"


@pytest.fixture
def airflow() -> Generator[Site]:
    """Run a server that answers like Airflow's health page."""
    site = Site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def shell(tmp_path: Path, airflow: Site) -> Shell:
    """Give a home whose fleet names that Airflow."""
    made = Shell(tmp_path)
    made.write_fleet(FLEET.format(address=airflow.address))
    return made


def test_one_look_ends_with_a_status_that_cron_understands(shell: Shell, airflow: Site) -> None:
    """Nothing is broken, or the status of what is."""
    well = shell.pgtend("watchdog", "--once")
    assert (well.status, "airflow.scheduler" in well.out) == (0, True), well.said
    airflow.health["scheduler"] = "unhealthy"
    ill = shell.pgtend("watchdog", "--once")
    assert (ill.status, "Airflow's scheduler is not alive" in ill.out) == (75, True), ill.said


def test_the_service_goes_on_until_it_is_told_to_stop(shell: Shell, airflow: Site) -> None:
    """It looks again and again, survives a fleet file that is broken meanwhile, and ends at once."""
    running = shell.start("watchdog")
    try:
        wait_for(lambda: len(airflow.asked) >= 2)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 128 + signal.SIGTERM
    finally:
        running.kill()
        running.communicate()
    assert (shell.home / ".local/share/pgtend/watchdog/clinic.json").exists()


def wait_for(happened: object) -> None:
    """Wait until something happened, and not longer."""
    assert callable(happened)
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Guarded(MailSink):
    """A mail server that wants to know who is there."""

    @staticmethod
    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _how: str, who: LoginPassword
    ) -> AuthResult:
        """Let one person in."""
        return AuthResult(success=(who.login, who.password) == (b"me", SECRET.encode()))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("at_once", [True, False], ids=["tls", "starttls"])
@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "stranger"])
def test_mail_goes_out_over_tls_and_only_to_a_server_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: bool, is_trusted: bool
) -> None:
    """From the start, or by STARTTLS; a certificate that nobody signed gets no password."""
    for folder in (tmp_path / "ours", tmp_path / "theirs"):
        folder.mkdir()
    ours, theirs = (make_certificates(tmp_path / name, "localhost") for name in ("ours", "theirs"))
    monkeypatch.setenv("SSL_CERT_FILE", str((ours if is_trusted else theirs).authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "ours" / "server.crt", tmp_path / "ours" / "server.key")
    sink = Guarded(free_ports(1)[0])
    # aiosmtpd knows of TLS only what it negotiated itself.
    over_tls: dict[str, object] = {"ssl_context": context, "auth_require_tls": False}
    later: dict[str, object] = {"tls_context": context, "require_starttls": True}
    tls = over_tls if at_once else later
    server = Controller(
        sink, hostname="localhost", port=sink.port, authenticator=sink.authenticate, auth_required=True, **tls
    )
    server.start()
    try:
        address = f"smtp://me:{SECRET}@localhost:{sink.port}/?from_email=pgtend@clinic.test"
        extra = "" if at_once else "&disable_ssl=true"
        connections = Connections({"AIRFLOW_CONN_MAIL": f"{address}{extra}"})
        way = Way("mail", Channel.model_validate({"smtp": {"connection": "mail", "to": "a@b.test"}}), connections)
        if is_trusted:
            way.probe()
            way.send(LETTER)
            assert sink.texts() == ["a title\na text\r\n"]
        else:
            with pytest.raises(ChannelDown, match="takes no message"):
                way.send(LETTER)
            assert sink.texts() == []
    finally:
        server.stop()


def test_the_public_key_that_the_install_page_prints_is_the_one(tmp_path: Path) -> None:
    """`make secrets` makes a key that pgtend reads, and openssl prints its public half as the page says."""
    script = PROJECT / "include" / "pgtend_airflow" / "compose" / "make_secrets.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "secrets")], check=True, capture_output=True)
    page = (PROJECT / "docs" / "how-to" / "install-with-docker-compose.md").read_text(encoding="utf-8")
    command = next(line for line in page.splitlines() if line.startswith("openssl pkey"))
    printed = subprocess.run(("/bin/sh", "-c", command), cwd=tmp_path, check=True, capture_output=True, text=True)
    key = tmp_path / "secrets" / "receipts.key"
    key.chmod(0o600)
    public = read_signing_key(key).public
    assert f"ed25519:{printed.stdout.strip()}" == public.text
    assert base64.b64decode(printed.stdout) == public.raw
