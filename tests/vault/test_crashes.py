"""Processes that are killed by -9 in the middle: no half object is ever visible, and what is left can be swept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bed.ministack_site import MiniStack
from bed.s3_servers import S3Site, open_ministack
from bed.streams import Recipe
from pgtend.kernel.errors import Outage
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import Vault
from pgtend.vault.parts import MIB

BED = Path(__file__).parents[1]
ENDLESS_WRITER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import boto3
from bed.s3_servers import SMALL_PARTS
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, S3Place
from pgtend.vault.s3 import S3Vault

class Endless:
    def read(self, size=-1, /):
        time.sleep(0.002)
        return b"x" * 65536

kind, where, bucket, prefix = sys.argv[2:]
if kind == "folder":
    vault = FolderVault(FolderPlace(path=Path(where), may_create=True))
else:
    place = S3Place(bucket=bucket, prefix=prefix, endpoint=where, path_style=True, parts=SMALL_PARTS)
    vault = S3Vault(place, boto3.Session())
vault.put("kgc/endless", Endless())
"""
FULL_DISK_WRITER = """
import io, json, sys
from pathlib import Path
from pgtend.vault.errors import VaultFull
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace

vault = FolderVault(FolderPlace(path=Path(sys.argv[1])))
vault.put("kgc/small", io.BytesIO(b"x"))
try:
    vault.put("kgc/big", io.BytesIO(bytes(8 * 1024 * 1024)))
    said = "stored"
except VaultFull as error:
    said = error.message
there, left = [stored.key for stored in vault.objects()], len(vault.unfinished())
print(json.dumps([said, there, left, vault.put("kgc/next", io.BytesIO(b"y")).size]))
"""


def kill_while_writing(vault: Vault, kind: str, where: str, site: S3Site | None = None) -> None:
    """Let a process write without end, and kill it when a good part of it is there."""
    environment = {"PATH": os.environ["PATH"]}
    if site is not None:
        environment |= {"AWS_ACCESS_KEY_ID": site.key.key_id, "AWS_SECRET_ACCESS_KEY": site.key.secret}
    bucket, prefix = (site.bucket, site.prefix) if site else ("", "")
    writer = subprocess.Popen(
        [sys.executable, "-c", ENDLESS_WRITER, str(BED), kind, where, bucket, prefix], env=environment
    )
    try:
        wait_for(lambda: vault.unfinished() != ())
        time.sleep(0.3)
        assert [stored.key for stored in vault.objects("kgc/")] == []
    finally:
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(timeout=10) == -signal.SIGKILL


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something is so, and fail when it never is."""
    give_up_at = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(0.02)


def assert_only_leftovers_and_sweep(vault: Vault) -> None:
    """Nothing is visible; a sweep spares what may be alive, and takes what is old."""
    assert [stored.key for stored in vault.objects("kgc/")] == []
    assert [leftover.key.rpartition("/")[2] for leftover in vault.unfinished()] == ["endless"]
    assert vault.sweep(timedelta(hours=1)) == ()
    assert len(vault.unfinished()) == 1
    time.sleep(1)
    assert len(vault.sweep(timedelta(0))) == 1
    assert vault.unfinished() == ()
    assert vault.put("kgc/endless", Recipe(6 * MIB)).size == 6 * MIB


def test_a_killed_writer_leaves_no_file_under_its_name(folder: FolderVault) -> None:
    """A folder shows nothing of a write whose process was killed, and the next one succeeds."""
    kill_while_writing(folder, "folder", folder.place)
    assert_only_leftovers_and_sweep(folder)


@pytest.mark.parametrize("kind", ["ministack", "swift"])
def test_a_killed_writer_leaves_no_object(kind: str, request: pytest.FixtureRequest) -> None:
    """A bucket shows nothing of an upload whose process was killed, and the next one succeeds."""
    site: S3Site = request.getfixturevalue(kind)
    with site.vault() as vault:
        kill_while_writing(vault, "s3", site.endpoint, site)
        assert_only_leftovers_and_sweep(vault)


def test_a_server_killed_between_parts_is_an_outage(tmp_path: Path) -> None:
    """The server dies in the middle and comes back: the put fails for now, and the next one succeeds."""
    site = open_ministack(tmp_path / "site")
    server = site.server
    assert isinstance(server, MiniStack)
    try:
        server.stop()
        server.start()  # buckets and users are on disk only after a clean stop

        class KillsItsServer(Recipe):
            def read(self, size: int = -1, /) -> bytes:
                if self.given > 11 * MIB and server.process is not None and not stopped:
                    stopped.append(True)
                    server.kill()
                    server.start()
                return super().read(size)

        stopped: list[bool] = []
        with site.vault() as vault:
            vault.put("kgc/before", Recipe(100))
            with pytest.raises(Outage):
                vault.put("kgc/big", KillsItsServer(30 * MIB))
            assert stopped == [True]
            assert [stored.key for stored in vault.objects("kgc/")] == ["kgc/before"]
            assert vault.put("kgc/big", Recipe(12 * MIB)).size == 12 * MIB
    finally:
        server.kill()


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """On a file system of four megabytes a put of eight is refused, and what was there stays and more fits."""
    mounted = f'mount -t tmpfs -o size=4m tmpfs {tmp_path} && exec "$0" -c "$1" {tmp_path}'
    argv = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, sys.executable, FULL_DISK_WRITER)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [f"no room left in {tmp_path}", ["kgc/small"], 0, 1]


def test_a_bucket_of_another_prefix_is_not_swept(ministack: S3Site) -> None:
    """A sweep under one prefix takes nothing from its neighbour, even when the neighbour's name begins the same."""
    neighbour = replace(ministack, prefix=f"{ministack.prefix}x")
    with ministack.vault() as vault, neighbour.vault() as beside, ministack.raw() as client:
        client.create_multipart_upload(Bucket=ministack.bucket, Key=neighbour.place.full_key("kgc/alive"))
        assert vault.unfinished() == ()
        assert vault.sweep(timedelta(0)) == ()
        assert [leftover.key for leftover in beside.unfinished()] == ["kgc/alive"]
