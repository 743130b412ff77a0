"""What a vault costs: put and get of one large object beside boto3's own transfer, and beside a synced copy.

Each measurement runs in a process of its own, so that peak memory is that of one client and of nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from bed.ministack_site import AccessKey
from bed.s3_servers import S3Site, open_ministack, open_swift
from bench.figures import MIB, Cost, Section, Table, prose, race, ratio, spent
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace, Vault
from pgtend.vault.parts import STANDARD_PARTS
from pgtend.vault.s3 import S3Vault

SIZE = 256 * MIB
ROUNDS = 2
KEY = "bench/object"
PUT, GET = "put", "get"
RIVALS = {"MiniStack": "boto3", "Swift": "boto3", "folder": "copy"}
COLUMNS = ("where", "what", "who", "MB/s", "CPU s/GiB", "MB of memory", "wall", "CPU")


def measure() -> Section:
    """Measure two S3 servers and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        file = top / "random"
        with file.open("wb") as random:
            for _ in range(SIZE // MIB):
                random.write(secrets.token_bytes(MIB))
        costs = {
            "MiniStack": _on_server(open_ministack, file, top / "MiniStack"),
            "Swift": _on_server(open_swift, file, top / "Swift"),
            "folder": _compare("copy", file, None, top / "folder"),
        }
    return Section(
        title="Vault",
        measured=prose(f"""
            One object of {SIZE // MIB} MiB of random bytes, the best of {ROUNDS} rounds, each client in a process of
            its own. `boto3` is `upload_file` and `download_file` as they come, with ten threads; `copy` is a copy of
            the file and an `fsync`. Both last columns are ratios to that rival.
        """),
        tables=(Table(COLUMNS, tuple(row for place, found in costs.items() for row in _rows(place, found)), words=3),),
        remarks=_remarks(costs),
    )


def _on_server(opened: Callable[[Path], S3Site], file: Path, folder: Path) -> dict[str, Cost]:
    site = opened(folder)
    try:
        return _compare("boto3", file, site, folder)
    finally:
        assert site.server is not None
        site.server.kill()


def _compare(rival: str, file: Path, site: S3Site | None, folder: Path) -> dict[str, Cost]:
    """Let both put, and get what they put, under new names in every round."""
    costs: dict[str, Cost] = {}
    for _ in range(ROUNDS):
        places = {who: _fresh(site, folder) for who in (rival, "vault")}
        tasks = {
            f"{task} {who}": partial(_in_child, task, who, file, *place)
            for task in (PUT, GET)
            for who, place in places.items()
        }
        for name, cost in race(tasks, rounds=1).items():
            costs[name] = min(costs.get(name, cost), cost, key=lambda one: one.wall)
        shutil.rmtree(folder / "copies", ignore_errors=True)
    return costs


def _fresh(site: S3Site | None, folder: Path) -> tuple[S3Site | None, Path]:
    name = secrets.token_hex(4)
    return (replace(site, prefix=name) if site else None), folder / "copies" / name


def _in_child(task: str, who: str, file: Path, site: S3Site | None, folder: Path) -> Cost:
    where = [site.endpoint, site.key.key_id, site.key.secret, site.prefix] if site else []
    argv = [sys.executable, "-m", "bench.vault", task, who, str(file), str(folder), *where]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(**json.loads(done.stdout))


def _rows(place: str, costs: dict[str, Cost]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, cost in costs.items():
        rival = costs[f"{name.split()[0]} {RIVALS[place]}"]
        rows.append(
            (
                place,
                *name.split(),
                f"{SIZE / MIB / cost.wall:.0f}",
                f"{cost.cpu / SIZE * 1024 * MIB:.2f}",
                f"{cost.memory:.0f}",
                ratio(cost.wall, rival.wall),
                ratio(cost.cpu, rival.cpu),
            )
        )
    return rows


def _remarks(costs: dict[str, dict[str, Cost]]) -> tuple[str, ...]:
    def compared(place: str, task: str) -> str:
        return ratio(costs[place][f"{task} vault"].wall, costs[place][f"{task} {RIVALS[place]}"].wall)

    return (
        prose(f"""
            A put takes {compared("MiniStack", PUT)} (MiniStack) and {compared("Swift", PUT)} (Swift) of boto3's time:
            beside the checksum of each part a vault computes SHA-256 over the whole object, in the stream and in one
            thread, and asks the server afterwards what it keeps. boto3 computes a CRC of each part and asks nothing.
        """),
        prose(f"""
            A get takes {compared("MiniStack", GET)} and {compared("Swift", GET)}: a vault reads one stream, in order
            and with little memory, and computes every digest anew before the reader sees the end. boto3 fetches ten
            ranges at a time, and compares nothing where it reads ranges. On MiniStack that is slow for a reason of
            that server's own: it loads the whole object for each range. Swift is the fairer one of the two.
        """),
        prose(f"""
            A put into a folder takes {compared("folder", PUT)} of a synced copy, again for the digest; a get reads
            and hashes what the rival only reads ({compared("folder", GET)}).
        """),
        prose("""
            No network was measured. The servers ran on the same cores as the clients; with long round trips boto3's
            ten connections gain over the two of a put into a vault and over the one of a get.
        """),
    )


def child(task: str, who: str, file: Path, site: S3Site | None, folder: Path) -> Cost:
    """Do one task as one client."""
    if who == "copy":
        return spent(partial(_copy, file, folder) if task == PUT else partial(_read_copy, folder))
    if who == "vault":
        return _by_vault(task, file, site, folder)
    assert site is not None
    place = site.place
    with closing(site.key.session().client("s3", endpoint_url=site.endpoint)) as client:
        client.list_buckets()
        key = place.full_key(KEY)
        if task == PUT:
            return spent(lambda: client.upload_file(str(file), place.bucket, key))
        return spent(lambda: client.download_file(place.bucket, key, os.devnull))


def _by_vault(task: str, file: Path, site: S3Site | None, folder: Path) -> Cost:
    vault: Vault
    if site is None:
        vault = FolderVault(FolderPlace(path=folder, may_create=True))
    else:
        vault = S3Vault(replace(site.place, parts=STANDARD_PARTS), site.key.session())
    with vault:
        # What a vault learns about a server it learns once; here it is not part of the price.
        assert vault.abilities.refuses_existing
        return spent(partial(_put, vault, file) if task == PUT else partial(_get, vault))


def _put(vault: Vault, file: Path) -> None:
    with file.open("rb") as stream:
        vault.put(KEY, stream)


def _get(vault: Vault) -> None:
    with vault.open(KEY) as stream:
        while stream.read(MIB):
            pass


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    with file.open("rb") as source, (folder / "copy").open("wb") as target:
        while piece := source.read(MIB):
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())


def _read_copy(folder: Path) -> None:
    with (folder / "copy").open("rb") as source:
        while source.read(MIB):
            pass


if __name__ == "__main__":
    asked, client_kind, source_file, own_folder, *server = sys.argv[1:]
    there = S3Site(server[0], AccessKey(server[1], server[2]), server[3]) if server else None
    took = child(asked, client_kind, Path(source_file), there, Path(own_folder))
    sys.stdout.write(json.dumps(asdict(took)))
