"""What a backup costs beside what people write themselves: `pg_dump | gzip`, and a directory dump packed by zstd."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bed.backups import Depot, tools_on_path
from bed.clusters import Clusters, LiveDatabase, new_database, tools_of
from bed.s3_servers import BUCKET, S3Site, open_ministack
from bench.figures import Cost, Section, Table, prose, race, ratio, seconds, spent
from pgtend.backup.manifest import Manifest
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.vault.parts import STANDARD_PARTS
from pgtend.vault.s3 import S3Vault

MAJOR = 15
ROUNDS = 2
ROWS = 2_000_000
OURS, GZIP, FOLDER = "pgtend", "pg_dump | gzip + upload", "pg_dump -Fd -j2, tar | zstd + upload"
COLUMNS = ("who", "wall", "CPU of the client", "MB of memory", "MB stored", "wall")

_VISITS = """
INSERT INTO public.{name}
SELECT
    x, mod(x::bigint * 7919, 5000), timestamptz '2026-01-01' + x * interval '7 s',
    'follow-up visit of patient ' || mod(x, 5000) || ': pressure ' || (110 + mod(x::bigint * 31, 40)),
    (array['lab', 'visit', 'note'])[1 + mod(x, 3)], round((random() * 100)::numeric, 2)
FROM generate_series(1, {rows}) AS x
"""


@dataclass(slots=True)
class Bench:
    """One database, one S3 server, and what each contestant stored there."""

    live: LiveDatabase
    site: S3Site
    folder: Path
    stored: dict[str, int]
    manifest: Manifest | None = None

    def ours(self) -> Cost:
        """Take a backup: sealed for two, fingerprinted, uploaded, read back."""
        place = replace(self.site.place, prefix=f"ours-{secrets.token_hex(4)}", parts=STANDARD_PARTS)
        with S3Vault(place, self.site.key.session()) as vault:
            limits = {"lock_timeout": "5 s", "sessions": 4}
            depot = Depot(self.live, vault, self.folder / "ledger", self.live.superuser, limits=limits)
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


def measure() -> Section:
    """Measure one database of rows as a clinic has them."""
    os.environ["PGTEND_PG_BINDIRS"] = tools_on_path(MAJOR)
    clusters = Clusters()
    with closing(clusters), tempfile.TemporaryDirectory() as top:
        site = open_ministack(Path(top) / "s3")
        work = Path(top) / "work"
        work.mkdir()
        with new_database(clusters.server(MAJOR)) as live:
            for name in ("first", "second"):
                columns = "id int, patient int, at timestamptz, note text, kind text, value float8"
                live.run(f"CREATE TABLE public.{name} ({columns})", _VISITS.format(name=name, rows=ROWS))
            bench = Bench(live, site, work, {})
            costs = race({OURS: bench.ours, GZIP: bench.gzip, FOLDER: bench.packed}, rounds=ROUNDS)
    assert bench.manifest
    return _section(bench.manifest, costs, bench.stored)


def _section(manifest: Manifest, costs: dict[str, Cost], stored: dict[str, int]) -> Section:
    rows = tuple(
        (
            who,
            seconds(cost.wall),
            seconds(cost.cpu),
            f"{cost.memory:.0f}",
            f"{stored[who] / 1e6:.0f}",
            ratio(costs[OURS].wall, cost.wall),
        )
        for who, cost in costs.items()
    )
    return Section(
        title="Backup",
        measured=prose(f"""
            A database of PostgreSQL {MAJOR} with two tables, {2 * ROWS:,} rows and {manifest.plain_size / 1e6:.0f} MB
            of dump, into MiniStack; the best of {ROUNDS} rounds. Ours includes sealing for two recipients, a count and
            a hash of every row, and reading every object back; the rivals do none of it. The last column is our time
            against theirs.
        """),
        tables=(Table(COLUMNS, rows),),
        remarks=(f"The snapshot and its locks were held for {manifest.timing.snapshot_held:.1f} s.",),
    )
