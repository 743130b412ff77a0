"""What a backup and a restore cost beside what people write themselves, with rows of a clinic and with pgbench's."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bed.backups import ESCROW, KEYS, OPERATIONS, Depot, tools_on_path
from bed.clusters import Clusters, LiveDatabase, new_database, statement, tools_of
from bed.s3_servers import BUCKET, S3Site, open_ministack
from bench.figures import MIB, Cost, Section, Table, prose, race, ratio, seconds, spent
from bench.visits import make_visits
from pgtend.backup.catalogue import read_catalogue
from pgtend.backup.manifest import Manifest, to_json
from pgtend.backup.record import Part, Role
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.archive import Backup
from pgtend.restore.job import restore_backup
from pgtend.restore.model import RestoreOrder
from pgtend.vault.agekeys import PublicKey
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace
from pgtend.vault.parts import STANDARD_PARTS
from pgtend.vault.s3 import S3Vault
from pgtend.vault.sealing import Sealed, seal

MAJOR = 15
ROUNDS = int(os.environ.get("ROUNDS", "2"))
ROWS = int(os.environ.get("ROWS", "2000000"))
OURS, GZIP, FOLDER = "pgtend", "pg_dump, gzip, upload", "pg_dump -Fd -j2, tar, zstd, upload"
BACK, LOCAL = "pgtend restore, from S3", "pgtend restore, from a local folder"
PG_RESTORE = "pg_restore -j2, from a local folder as pg_dump -Fd makes it"
PLAIN = "pg_restore -j2, from a local folder that is not compressed"
UNCOMPARED, OPENED = "  the same without the comparison at the end", "  fetched from S3 and opened alone, no database"
# A server as it comes, where the disk is waited for; the throwaway servers of tests are tuned for tests.
SERVER = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB", "max_wal_size": "1GB"}
PGBENCH_ROWS = 1_000_000
LARGER = 3
"""How many times as large the second database is, which fewer take part with, half as often."""
THERE = (
    "who backs up", "MB of dump", "wall", "CPU of the client", "our CPU to it", "MB of memory", "MB stored",
    "our wall to it",
)  # fmt: skip
HOME = (
    "who restores", "MB of dump", "wall", "CPU of the client", "MB of memory", "to pg_restore", "to it, not compressed",
)  # fmt: skip


@dataclass(slots=True)
class Bench:
    """One database, one S3 server, and what each contestant stored there."""

    live: LiveDatabase
    site: S3Site
    folder: Path
    stored: dict[str, int]
    manifest: Manifest | None = None
    prefix: str = ""
    compared_in: dict[float, float] = field(default_factory=dict[float, float])
    """How long the comparison took, by what the whole restore took."""

    def ours(self) -> Cost:
        """Take a backup: sealed for two, fingerprinted, uploaded, read back."""
        self.prefix = f"ours-{secrets.token_hex(4)}"
        with self._vault() as vault:
            depot = Depot(self.live, vault, self.folder / "ledger", self.live.superuser, limits={"lock_timeout": "5 s"})
            cost = spent(lambda: self._keep(depot.take()))
            assert self.manifest
            assert verify_backup(vault, self.manifest, None, quietly).holds
        return cost

    def gzip(self) -> Cost:
        """Do what a shell script does."""
        file = self.folder / "dump.gz"
        return spent(lambda: self._upload(GZIP, f"{self._pg_dump()} | gzip > {file}", file))

    def packed(self) -> Cost:
        """Dump into a directory by two processes, uncompressed, and pack it."""
        folder, file = self.folder / "fd", self.folder / "fd.tar.zst"
        shutil.rmtree(folder, ignore_errors=True)
        script = f"{self._pg_dump()} -Fd -j2 -Z0 -f {folder} && tar c -C {self.folder} fd | zstd -q -1 > {file}"
        return spent(lambda: self._upload(FOLDER, script, file))

    def settle(self) -> None:
        """Let what one contestant wrote reach the disk before the next one begins."""
        self.live.run("CHECKPOINT")
        os.sync()

    def back(self) -> Cost:
        """Restore our newest backup from S3: opened, loaded, indexed, analyzed, and every row compared."""
        return self._restored(self._vault())

    def local(self) -> Cost:
        """Do the same from a folder of this machine, as the rival does."""
        return self._restored(self._home())

    def fetch(self) -> None:
        """Copy our newest backup into a folder, and dump into another one as pg_dump does when nobody says how."""
        subprocess.run((*shlex.split(self._pg_dump()), "-Fd", "-j2", "-f", str(self.folder / "fd.gz")), check=True)
        assert self.manifest
        with self._vault() as vault, self._home() as home:
            for part in self.manifest.parts:
                home.copy_from(vault, self.manifest.key_of(part), sha256=part.stored_sha256)
            home.put_if_absent(self.manifest.key, to_json(self.manifest))

    def _restored(self, vault: S3Vault | FolderVault) -> Cost:
        name = f"{self.live.name}_back"
        stages: dict[str, float] = {}
        with self._backup(vault) as backup:
            order = RestoreOrder(target=self.live.server.superuser(), by="bench", name=name, jobs=2)

            def restore() -> None:
                report = restore_backup(backup, order, quietly)
                assert report.is_identical
                stages.update((stage, took.total_seconds()) for stage, took in report.stages)

            cost = spent(restore)
        self._drop(name)
        self.compared_in[cost.wall] = stages["compare with the manifest"]
        return cost

    def opened(self) -> Cost:
        """Fetch, open and judge the rows as a restore does, and give them to nobody."""

        def read(backup: Backup, part: Part) -> None:
            with backup.opened(part) as plain:
                while plain.read(MIB):
                    pass

        with self._backup(self._vault()) as backup, ThreadPoolExecutor(2) as crew:
            parts = backup.entry.manifest.parts_of(Role.TABLE, Role.REST)
            return spent(lambda: list(crew.map(partial(read, backup), parts)))

    def pg_restore(self) -> Cost:
        """Load a directory dump as it comes."""
        return self._pg_restored("fd.gz")

    def plain(self) -> Cost:
        """Load one that nobody compressed."""
        return self._pg_restored("fd")

    def _pg_restored(self, folder: str) -> Cost:
        """Load a directory dump that is there, from the local disk, into a new database, and analyze."""
        name = f"{self.live.name}_back"
        tools, where = tools_of(MAJOR), self.live.server.superuser(name).conninfo
        psql = f"{tools.path('psql')} -qX"
        create = f"{psql} '{self.live.server.superuser().conninfo}' -c 'CREATE DATABASE {name} TEMPLATE template0'"
        load = f"{tools.path('pg_restore')} -j2 -d '{where}' {self.folder / folder}"
        script = f"{create} && {load} && {psql} '{where}' -c ANALYZE"
        cost = spent(lambda: subprocess.run(("/bin/bash", "-c", script), check=True))
        self._drop(name)
        return cost

    def seen(self, there: dict[str, Cost], home: dict[str, Cost], packing: str = "") -> Seen:
        """Write down what was measured, and what a restore without the comparison would have taken."""
        assert self.manifest
        wall = home[LOCAL].wall
        uncompared = replace(home[LOCAL], wall=wall - self.compared_in[wall])
        return Seen(self.manifest, there, dict(self.stored), {**home, UNCOMPARED: uncompared}, packing)

    @contextmanager
    def _backup(self, place: S3Vault | FolderVault) -> Generator[Backup]:
        assert self.manifest
        with place as vault:
            entry = read_catalogue(vault, "tests", "clinic", utc_now()).choose(self.manifest.backup_id)
            yield Backup(vault, entry, KEYS)

    def packing(self) -> str:
        """Tell what packing alone costs: the same dump, in a file already, by gzip and by us."""
        dump, packed = self.folder / "dump", self.folder / "dump.packed"
        subprocess.run(("/bin/bash", "-c", f"{self._pg_dump()} -Fc -Z0 > {dump}"), check=True)
        gzip = spent(lambda: subprocess.run(("/bin/bash", "-c", f"gzip -6 < {dump} > {packed}"), check=True))
        recipients = [PublicKey(one.public, one.public) for one in (OPERATIONS, ESCROW)]
        with FolderVault(FolderPlace(path=self.folder / "packed", may_create=True)) as vault, dump.open("rb") as plain:
            sealed: list[Sealed] = []
            ours = spent(lambda: sealed.append(seal(vault, "dump.zst.age", plain, recipients)))
        size = sealed[0].stored.size
        return (
            f"Packing alone, the same dump from a file: gzip -6 takes {seconds(gzip.cpu)} of CPU for"
            f" {packed.stat().st_size / 1e6:.0f} MB; zstd, age and the digest take {seconds(ours.cpu)}"
            f" ({ratio(ours.cpu, gzip.cpu)}) for {size / 1e6:.0f} MB ({ratio(size, packed.stat().st_size)})."
        )

    def _drop(self, name: str) -> None:
        with self.live.server.session() as session:
            session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))

    def _vault(self) -> S3Vault:
        return S3Vault(replace(self.site.place, prefix=self.prefix, parts=STANDARD_PARTS), self.site.key.session())

    def _home(self) -> FolderVault:
        return FolderVault(FolderPlace(path=self.folder / "home", may_create=True))

    def _keep(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.stored[OURS] = manifest.stored_size

    def _pg_dump(self) -> str:
        return f"{tools_of(MAJOR).path('pg_dump')} '--dbname={self.live.superuser.conninfo}'"

    def _upload(self, who: str, script: str, file: Path) -> None:
        subprocess.run(("/bin/bash", "-o", "pipefail", "-c", script), check=True)
        self.stored[who] = file.stat().st_size
        with closing(self.site.key.session().client("s3", endpoint_url=self.site.endpoint)) as client:
            client.upload_file(str(file), BUCKET, f"rivals/{file.name}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one database took to go there and to come back."""

    manifest: Manifest
    there: dict[str, Cost]
    stored: dict[str, int]
    home: dict[str, Cost]
    packing: str = ""

    @property
    def megabytes(self) -> str:
        """How large it is."""
        return f"{self.manifest.plain_size / 1e6:,.0f}"


def measure() -> Section:
    """Measure two databases of rows as a clinic has them."""
    os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(MAJOR)
    clusters = Clusters()
    with closing(clusters), tempfile.TemporaryDirectory() as top:
        site = open_ministack(Path(top) / "s3")
        with ThrowawayServer(tools=tools_of(MAJOR), settings=SERVER) as server:
            seen = _all_of_them(server, site, Path(top) / "small")
            larger = _those_that_count(server, site, Path(top) / "larger")
        padding = _padding(*_pgbench_sizes(clusters, site, Path(top) / "pgbench"))
    return _section(seen, larger, (seen.packing, padding))


def _all_of_them(server: ThrowawayServer, site: S3Site, work: Path) -> Seen:
    with _visited(server, site, work, ROWS) as bench:
        there = {OURS: bench.ours, GZIP: bench.gzip, FOLDER: bench.packed}
        costs = race(there, rounds=ROUNDS, before=bench.settle)
        bench.fetch()
        home = {
            BACK: bench.back,
            LOCAL: bench.local,
            OPENED: bench.opened,
            PG_RESTORE: bench.pg_restore,
            PLAIN: bench.plain,
        }
        back = race(home, rounds=ROUNDS, before=bench.settle)
        return bench.seen(costs, back, bench.packing())


def _those_that_count(server: ThrowawayServer, site: S3Site, work: Path) -> Seen:
    """Let only those run that the goals name: what is fixed weighs less in a database of a usual size."""
    with _visited(server, site, work, LARGER * ROWS) as bench:
        rounds = max(1, ROUNDS // 2)
        costs = race({OURS: bench.ours, FOLDER: bench.packed}, rounds=rounds, before=bench.settle)
        bench.fetch()
        home = {LOCAL: bench.local, PG_RESTORE: bench.pg_restore, PLAIN: bench.plain}
        return bench.seen(costs, race(home, rounds=rounds, before=bench.settle))


@contextmanager
def _visited(server: ThrowawayServer, site: S3Site, work: Path, rows: int) -> Generator[Bench]:
    work.mkdir()
    with new_database(server) as live:
        make_visits(live, "first", "second", rows=rows)
        # Else the server does it while one of the contestants runs.
        live.run("VACUUM (ANALYZE)")
        yield Bench(live, site, work, {})
    shutil.rmtree(work)


def _pgbench_sizes(clusters: Clusters, site: S3Site, work: Path) -> tuple[int, int]:
    """Tell what pgbench's padding takes in our vault and as gzip."""
    work.mkdir()
    with new_database(clusters.server(MAJOR)) as live:
        live.run(
            "CREATE TABLE public.pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))",
            "INSERT INTO public.pgbench_accounts"  # noqa: S608 - a number of ours
            f" SELECT x, 1 + x / 100000, 0, '' FROM generate_series(1, {PGBENCH_ROWS}) AS x",
        )
        bench = Bench(live, site, work, {})
        bench.ours()
        bench.gzip()
    return bench.stored[OURS], bench.stored[GZIP]


def _padding(ours: int, gzip: int) -> str:
    return (
        f"Of {PGBENCH_ROWS:,} rows of pgbench's accounts, whose padding flatters everybody, we store "
        f"{ours / 1e6:.1f} MB and gzip {gzip / 1e6:.1f} MB: {ratio(ours, gzip)}."
    )


def _section(seen: Seen, larger: Seen, remarks: tuple[str, ...]) -> Section:
    timing = larger.manifest.timing
    held = (
        f"The snapshot and its locks were held for {timing.snapshot_held:.1f} s of the {timing.total:.1f} s that the "
        "last backup of the larger database took."
    )
    return Section(
        title="Backup and restore",
        measured=prose(f"""
            Two databases of PostgreSQL {MAJOR}, each with two tables, with {2 * ROWS:,} and {2 * LARGER * ROWS:,} rows,
            into MiniStack on the same cores; the server waits for its disk, as it does by default; the best of {ROUNDS}
            rounds, half as many for the larger one, each begun when all before it was on disk. Our backup includes
            sealing for two recipients, a count and a hash of every row, and reading every object back; our restore
            includes fetching and opening, new statistics, and a count and a hash of every row compared with the
            original. The rivals do none of that but the statistics.
        """),
        tables=(
            Table(THERE, (*_there(seen), *_there(larger)), words=1),
            Table(HOME, (*_home(seen), *_home(larger)), words=1),
        ),
        remarks=(held, _compared(seen), _compared(larger), *remarks),
    )


def _there(seen: Seen) -> Generator[tuple[str, ...]]:
    ours = seen.there[OURS]
    for who, cost in seen.there.items():
        yield (
            who,
            seen.megabytes,
            seconds(cost.wall),
            seconds(cost.cpu),
            ratio(ours.cpu, cost.cpu),
            f"{cost.memory:.0f}",
            f"{seen.stored[who] / 1e6:.0f}",
            ratio(ours.wall, cost.wall),
        )


def _home(seen: Seen) -> Generator[tuple[str, ...]]:
    for who in (BACK, OPENED, LOCAL, UNCOMPARED, PG_RESTORE, PLAIN):
        if cost := seen.home.get(who):
            whole = who != UNCOMPARED
            yield (
                who,
                seen.megabytes,
                seconds(cost.wall),
                seconds(cost.cpu) if whole else "",
                f"{cost.memory:.0f}" if whole else "",
                *(ratio(cost.wall, seen.home[rival].wall) for rival in (PG_RESTORE, PLAIN)),
            )


def _compared(seen: Seen) -> str:
    local, uncompared, rival, plain = (seen.home[who].wall for who in (LOCAL, UNCOMPARED, PG_RESTORE, PLAIN))
    return prose(f"""
        Of {seen.megabytes} MB, comparing takes {local - uncompared:.2f} s of the restore from a folder, and nothing
        like it is done by the rival. The restore takes {ratio(local, rival)} of the time of `pg_restore -j2` from a
        folder as `pg_dump -Fd` makes it, and without the comparison {ratio(uncompared, rival)}; the goal is at most
        1.00x. Where that folder is not compressed, it is {ratio(local, plain)} and {ratio(uncompared, plain)}.
    """)
