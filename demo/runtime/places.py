"""Where everything of the demo lives: below .demo/, and nowhere else if it can be helped."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOM_FOR_A_DEMO = 2 * 1024**3
LONGEST_SOCKET_PATH = 107


class DemoProblem(Exception):
    """The demo cannot go on; says why, and what a person can do."""

    def __init__(self, what: str, *advice: str) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


@dataclass(frozen=True)
class Places:
    """The folders and files of one demo."""

    root: Path
    state: Path

    @classmethod
    def here(cls) -> Places:
        """Find the places of this clone; PGTEND_DEMO_STATE moves them."""
        return cls(ROOT, Path(os.environ.get("PGTEND_DEMO_STATE") or ROOT / ".demo").absolute())

    @property
    def logs(self) -> Path:
        """What each process said."""
        return self.state / "log"

    @property
    def pids(self) -> Path:
        """Which processes we started."""
        return self.state / "run"

    @property
    def tls(self) -> Path:
        """The certificate authority of the demo, and PostgreSQL's certificate."""
        return self.state / "tls"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.state / "airflow"

    @property
    def fleet(self) -> Path:
        """The fleet file with this clone's public keys."""
        return self.state / "fleet.yaml"

    def key(self, name: str) -> Path:
        """Tell where the private key of a recipient of backups is."""
        return self.state / "keys" / f"{name}.txt"

    @property
    def signing_key(self) -> Path:
        """The private key that receipts of drills are signed with."""
        return self.state / "keys" / "receipts.pem"

    @property
    def shell(self) -> Path:
        """What a shell sources to work without Airflow."""
        return self.state / "env"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder, possibly by way of a link (see `make_cluster_folder`)."""
        return self.state / "postgresql"

    def make(self) -> None:
        """Create the folders, private where secrets lie."""
        self.state.mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.pids, self.tls, self.airflow, self.state / "mail"):
            folder.mkdir(exist_ok=True)
        check_room(self.state)


def check_room(state: Path) -> None:
    """Refuse to start on a disk that is nearly full: half a database is worse than none."""
    free = shutil.disk_usage(state).free
    if free < ROOM_FOR_A_DEMO:
        raise DemoProblem(
            f"only {free / 1024**2:.0f} MB are free on the disk that holds {state}",
            "The demo wants 2 GB. Free some, or name another place: PGTEND_DEMO_STATE=/elsewhere make demo",
        )


def server_user() -> pwd.struct_passwd | None:
    """Name the user PostgreSQL runs as: ourselves, or, because it refuses root, another one."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise DemoProblem("there is no user `postgres`", "Debian's package `postgresql` creates it.") from None


def make_cluster_folder(places: Places) -> Path:
    """Create PostgreSQL's folder where its user can reach it.

    A clone below /root is closed to every other user. Then the folder lies in /var/lib and .demo holds a link to it.
    """
    user = server_user()
    if places.cluster.exists():
        return places.cluster.resolve()
    if user is None or is_reachable(places.state, user):
        places.cluster.mkdir(mode=0o755)
        folder = places.cluster
    else:
        folder = Path("/var/lib") / f"pgtend-demo-{hashlib.sha256(str(places.state).encode()).hexdigest()[:12]}"
        folder.mkdir(mode=0o755, exist_ok=True)
        places.cluster.unlink(missing_ok=True)
        places.cluster.symlink_to(folder)
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def is_reachable(folder: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether a user may walk down to a folder."""
    return all(may_enter(step, user) for step in (folder, *folder.parents))


def may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether a user may enter one folder."""
    status = folder.stat()
    if status.st_uid == user.pw_uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid in os.getgrouplist(user.pw_name, user.pw_gid):
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, complete or not at all."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    half.replace(path)
