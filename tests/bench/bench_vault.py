"""What a vault costs: put and get of 384 MiB beside boto3's own transfer, in one run on one machine, as ratios.

Run it with `make bench`, or alone: python tests/bench/bench_vault.py
Each measurement runs in a process of its own, so that peak memory is that of one client and of nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bed.ministack_site import AccessKey
from bed.s3_servers import S3Site, open_ministack, open_swift
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Vault
from pgtend.vault.parts import MIB, STANDARD_PARTS, PartPlan
from pgtend.vault.s3 import S3Vault

SIZE = 384 * MIB
ROUNDS = 2


def put_vault(vault: Vault, file: Path) -> None:
    """Store the file through a vault."""
    with file.open("rb") as stream:
        vault.put("bench/object", stream)


def get_vault(vault: Vault) -> None:
    """Read it back through a vault."""
    with vault.open("bench/object") as stream:
        while stream.read(MIB):
            pass


def measure(work: Callable[[], None]) -> dict[str, float]:
    """Take wall time, CPU seconds, and the memory that came on top of what was there."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "memory": (after.ru_maxrss - before.ru_maxrss) / 1024}


def child(task: str, client_kind: str, file: Path, site: S3Site | None, folder: Path) -> dict[str, float]:
    """Do one task with one client."""
    if client_kind == "boto3":
        assert site is not None
        place = site.place
        with closing(site.key.session().client("s3", endpoint_url=site.endpoint)) as client:
            client.list_buckets()
            key = place.full_key("bench/object")
            if task == "put":
                return measure(lambda: client.upload_file(str(file), place.bucket, key))
            return measure(lambda: client.download_file(place.bucket, key, os.devnull))
    plan = STANDARD_PARTS if client_kind == "vault" else PartPlan.parse(f"10000x{int(client_kind) * MIB}")
    vault: Vault
    if site is None:
        vault = FolderVault(FolderPlace(path=folder, may_create=True))
    else:
        vault = S3Vault(replace(site.place, parts=plan or STANDARD_PARTS), site.key.session())
    with vault:
        assert vault.abilities.refuses_existing
        return measure(lambda: put_vault(vault, file) if task == "put" else get_vault(vault))


def run_child(task: str, client: str, file: Path, site: S3Site | None, folder: Path) -> dict[str, float]:
    """Start a process for one measurement."""
    where = [site.endpoint, site.key.key_id, site.key.secret, site.prefix] if site else []
    argv = [sys.executable, __file__, task, client, str(file), str(folder), *where]
    return json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)


def compare(name: str, clients: tuple[str, ...], file: Path, site: S3Site | None, folder: Path) -> None:
    """Print the best of a few rounds for each client, and its ratio to boto3's."""
    gib = SIZE / (1024 * MIB)
    for task in ("put", "get"):
        best: dict[str, dict[str, float]] = {}
        for _ in range(ROUNDS):
            for client in clients:
                here = replace(site, prefix=f"{client}-{secrets.token_hex(3)}") if site else None
                own = folder / secrets.token_hex(3)
                if task == "get":
                    run_child("put", "vault" if client == "boto3" else client, file, here, own)
                took = run_child(task, client, file, here, own)
                best[client] = min(best.get(client, took), took, key=lambda result: result["wall"])
        first = best.get("boto3", best[clients[0]])
        for client, took in best.items():
            print(  # noqa: T201 - a bench talks to a person
                f"{name:10} {task} {client:6} {SIZE / MIB / took['wall']:6.0f} MB/s  "
                f"{took['cpu'] / gib:5.2f} CPU s/GiB  +{took['memory']:4.0f} MB  "
                f"wall x{took['wall'] / first['wall']:.2f}  CPU x{took['cpu'] / first['cpu']:.2f}"
            )


def main() -> None:
    """Measure MiniStack, Swift and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        file = top / "random"
        with file.open("wb") as random:
            for _ in range(SIZE // MIB):
                random.write(secrets.token_bytes(MIB))
        for name, opened in (("MiniStack", open_ministack), ("Swift", open_swift)):
            site = opened(top / name)
            try:
                compare(name, ("boto3", "vault", "64"), file, site, top / "unused")
            finally:
                assert site.server is not None
                site.server.kill()
        compare("folder", ("vault",), file, None, top / "vault")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        task, client, file, folder, *where = sys.argv[1:]
        site = S3Site(where[0], AccessKey(where[1], where[2]), where[3]) if where else None
        print(json.dumps(child(task, client, Path(file), site, Path(folder))))  # noqa: T201 - the parent reads it
    else:
        main()
