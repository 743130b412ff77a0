"""A person's shell: a home of its own, libpq services, and the real command as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgtend.postgres.address import Address

PGTEND = Path(sys.executable).with_name("pgtend")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything a person sees."""
        return self.out + self.err


@dataclass(slots=True)
class Shell:
    """A shell in an empty home. No password is ever given to a command or seen in what it says."""

    home: Path
    secrets: list[str] = field(default_factory=list[str])
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    """What stands in its environment besides."""

    def know(self, service: str, address: Address, *, password: str | None = None) -> None:
        """Define a libpq service, and put its password where libpq looks for it."""
        lines = "".join(f"{key}={value}\n" for key, value in address.params.items())
        with (self.home / ".pg_service.conf").open("a", encoding="utf-8") as services:
            services.write(f"[{service}]\n{lines}")
        secret = password or (address.password.get_secret_value() if address.password else "")
        if secret:
            self.secrets.append(secret)
            passfile = self.home / ".pgpass"
            with passfile.open("a", encoding="utf-8") as passwords:
                passwords.write(f"*:*:*:{address.params['user']}:{secret}\n")
            passfile.chmod(0o600)

    def write_fleet(self, text: str) -> None:
        """Write the fleet file of this shell."""
        (self.home / "fleet.yaml").write_text(text, encoding="utf-8")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        return subprocess.Popen(
            [PGTEND, *words],
            cwd=self.home,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pgtend(self, *words: str) -> Answer:
        """Run a command to its end."""
        return self.finish(self.start(*words))

    def finish(self, running: subprocess.Popen[str]) -> Answer:
        """Wait for a command; whatever it said must hold no secret and no traceback."""
        out, err = running.communicate(timeout=120)
        answer = Answer(running.returncode, out, err)
        assert not [secret for secret in self.secrets if secret in answer.said]
        assert "Traceback" not in answer.said
        return answer

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PGTEND_PG_BINDIRS") if name in os.environ}
        return {**kept, **self.more, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "COLUMNS": "100", "NO_COLOR": "1"}
