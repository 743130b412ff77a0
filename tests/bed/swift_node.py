"""A whole OpenStack Swift on one machine with its S3 door: the second, independent and crash-safe S3 server."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("account", "container", "object", "proxy")
PATIENCE_SECONDS = 60
FILTERS = (
    "catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink"
)

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = {suffix}
swift_hash_path_prefix = {prefix}
[storage-policy:0]
name = default
default = yes
[swift-constraints]
max_header_size = 32768
"""

SERVER_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = {workers}
user = {user}
swift_dir = {etc}
devices = {devices}
mount_check = false
log_level = INFO
log_name = {kind}
disable_fallocate = true
eventlet_debug = false
[pipeline:main]
pipeline = {pipeline}
[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY_CONF = """account_autocreate = true
allow_account_management = true
node_timeout = 60
conn_timeout = 2
"""

FILTER_OPTIONS = {
    "s3api": "location = us-east-1\ncors_preflight_allow_origin =\n",
    "tempauth": "user_pgtend_writer = {secret} .admin\n",
    "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true\n",
}

BUILD_RINGS = """
import sys
from swift.common.ring.builder import RingBuilder

for kind_and_port in sys.argv[2:]:
    kind, port = kind_and_port.split("=")
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    there = {"ip": "127.0.0.1", "port": int(port), "replication_ip": "127.0.0.1", "replication_port": int(port)}
    builder.add_dev({"region": 1, "zone": 1, **there, "device": "d1", "weight": 1.0, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{kind}.ring.gz")
"""
"""What `swift-ring-builder` does in three commands for each ring, in one process: starting it is what takes long."""


@dataclass(slots=True)
class SwiftNode:
    """Four processes and a folder. The access key is `pgtend:writer`."""

    folder: Path
    ports: dict[str, int]
    secret: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """Where clients reach it."""
        return f"http://127.0.0.1:{self.ports['proxy']}"

    def start(self) -> None:
        """Write its configuration once, start it, and wait until all four answer."""
        etc = self.folder / "etc"
        if not etc.exists():
            self._configure(etc)
        for kind in KINDS:
            argv = [_tool(f"swift-{kind}-server"), str(etc / f"{kind}-server.conf"), "-v"]
            with (self.folder / f"{kind}.log").open("ab") as log:
                self.processes.append(
                    subprocess.Popen(
                        ["setpriv", "--pdeathsig", "KILL", *argv],  # noqa: S607 - wherever Debian has it
                        env=self._environment(),
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        for kind in KINDS:
            self._wait(kind, give_up_at)

    def kill(self) -> None:
        """Let all of it die at once."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        self.processes.clear()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "SWIFT_DIR": str(self.folder / "etc")}

    def _configure(self, etc: Path) -> None:
        for folder in (etc, self.folder / "srv" / "d1"):
            folder.mkdir(parents=True)
        (etc / "swift.conf").write_text(SWIFT_CONF.format(suffix=secrets.token_hex(8), prefix=secrets.token_hex(8)))
        for kind in KINDS:
            (etc / f"{kind}-server.conf").write_text(self._conf(kind, etc))
        rings = (f"{kind}={self.ports[kind]}" for kind in KINDS if kind != "proxy")
        argv = [sys.executable, "-c", BUILD_RINGS, str(etc), *rings]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=self._environment())

    def _conf(self, kind: str, etc: Path) -> str:
        is_proxy = kind == "proxy"
        conf = SERVER_CONF.format(
            port=self.ports[kind],
            # A server without workers of its own dies with its one process; the door needs a process that accepts.
            workers=0,
            user=pwd.getpwuid(os.getuid()).pw_name,
            etc=etc,
            devices=self.folder / "srv",
            kind=kind,
            pipeline=f"{FILTERS} proxy-server" if is_proxy else f"{kind}-server",
        )
        if not is_proxy:
            return conf
        filters = [
            f"[filter:{name}]\nuse = egg:swift#{name}\n{FILTER_OPTIONS.get(name, '').format(secret=self.secret)}"
            for name in FILTERS.split()
        ]
        return conf + PROXY_CONF + "".join(filters)

    def _wait(self, kind: str, give_up_at: float) -> None:
        while time.monotonic() < give_up_at:
            try:
                socket.create_connection(("127.0.0.1", self.ports[kind]), 0.3).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"swift's {kind} server did not start; see {self.folder / f'{kind}.log'}")


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
