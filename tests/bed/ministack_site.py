"""MiniStack as a server of its own: an S3 site with real signatures, IAM users and policies, its data on disk.

Root's secret is not checked by MiniStack even with AUTH=true, so
`add_user` makes users through IAM, and everything else is to use those only.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import boto3

ROOT_KEY = "site-root"
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Who somebody is to the server, and how they prove it."""

    key_id: str
    secret: str = field(repr=False)

    def session(self) -> boto3.Session:
        """Speak as this user."""
        return boto3.Session(aws_access_key_id=self.key_id, aws_secret_access_key=self.secret, region_name="us-east-1")


@dataclass(slots=True)
class MiniStack:
    """One site: a folder, a port, and the process while it runs."""

    folder: Path
    port: int
    dies_with_parent: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where clients reach it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = [str(Path(sys.executable).with_name("ministack"))]
        if self.dies_with_parent:
            argv = ["setpriv", "--pdeathsig", "KILL", *argv]
        with (self.folder / "ministack.log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def stop(self) -> None:
        """Stop it in order: buckets' settings and users are written to disk only then."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Let it die at once, as in a power cut."""
        self._end(signal.SIGKILL)

    def add_user(self, name: str, statements: Sequence[Mapping[str, object]]) -> AccessKey:
        """Make a user with its own access key and exactly these rights."""
        root = AccessKey(ROOT_KEY, "not-checked").session()
        with closing(root.client("iam", endpoint_url=self.endpoint)) as iam:
            iam.create_user(UserName=name)
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName=name)["AccessKey"]
        return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            # It keeps a note of its process there, which stays when it is killed.
            "TMPDIR": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "BIND_HOST": "127.0.0.1",
            # Otherwise it listens on port 8883 of every address of this machine.
            "IOT_MTLS_ENABLED": "false",
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
            "SERVICES": "s3,iam,sts",
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "STATE_DIR": str(self.folder / "state"),
        }

    def _wait(self) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2):  # noqa: S310 - our own address
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"MiniStack did not start; see {self.folder / 'ministack.log'}")

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        os.killpg(self.process.pid, how)
        self.process.wait(timeout=30)
        self.process = None


def free_port() -> int:
    """Find a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
