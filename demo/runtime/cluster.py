"""The PostgreSQL cluster of the demo: five databases to tend, the ledger, and Airflow's own metadata."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from demo.runtime.certificates import make_certificates
from demo.runtime.places import LONGEST_SOCKET_PATH, DemoProblem, Places, make_cluster_folder, server_user
from demo.runtime.ports import Ports
from demo.runtime.processes import Service, find, start, wait_until
from demo.runtime.secret_words import SecretWords

OLDEST = 15
SETTINGS = """\
# Written by `make demo` at every start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
ssl = on
ssl_cert_file = '{folder}/server.pem'
ssl_key_file = '{folder}/server.key'
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '128MB'
max_wal_size = '2GB'
wal_level = 'replica'
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.max = 10000
track_io_timing = on
log_line_prefix = '%m [%p] %q%u@%d %a '
log_timezone = 'UTC'
timezone = 'UTC'
"""
RULES = """\
# Written by `make demo`. Passwords everywhere; nothing over the network without TLS.
local   all all                scram-sha-256
hostssl all all 127.0.0.1/32   scram-sha-256
"""


class Cluster:
    """The server and the roles and databases that the demo itself owns."""

    def __init__(self, places: Places, ports: Ports, words: SecretWords) -> None:
        self.places = places
        self.port = ports.postgres
        self.words = words
        self.user = server_user()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        if find(self.places, "postgresql") is None:
            make_certificates(self.places)
            self.folder = make_cluster_folder(self.places)
            self.binaries = find_server(self.data)
            if not (self.data / "PG_VERSION").exists():
                self.initialise()
            self.configure()
            start(self.places, self.service())
        wait_until(self.places, "postgresql", self.answers, timedelta(seconds=60))

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.places.cluster.resolve() / "data"

    def initialise(self) -> None:
        """Make the data directory, in a place of its own first: an interrupted initdb leaves a wreck behind."""
        half = self.folder / "data.half"
        shutil.rmtree(half, ignore_errors=True)
        password = self.folder / "password"
        self.write(password, self.words["postgres"])
        argv = (str(self.binaries / "initdb"), "-D", str(half), "-U", "postgres", "-A", "scram-sha-256")
        options = ("--pwfile", str(password), "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions")
        self.as_server_user((*argv, *options))
        password.unlink()
        half.rename(self.data)

    def configure(self) -> None:
        """Write the settings anew: ports move, clones move."""
        sockets = str(self.folder) if len(f"{self.folder}/.s.PGSQL.{self.port}") < LONGEST_SOCKET_PATH else ""
        self.write(self.data / "demo.conf", SETTINGS.format(port=self.port, sockets=sockets, folder=self.folder))
        self.write(self.data / "pg_hba.conf", RULES)
        main = (self.data / "postgresql.conf").read_text()
        if "include = 'demo.conf'" not in main:
            self.write(self.data / "postgresql.conf", f"{main}\ninclude = 'demo.conf'\n")
        for name in ("server.pem", "server.key"):
            self.write(self.folder / name, (self.places.tls / name).read_text())

    def write(self, path: Path, text: str) -> None:
        """Write a file for the server's eyes alone."""
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def as_server_user(self, argv: tuple[str, ...]) -> None:
        """Run a command as the server's user."""
        name = self.user.pw_name if self.user else None
        groups = [] if name else None
        result = subprocess.run(
            argv, env=environment(), cwd="/", user=name, group=name, extra_groups=groups,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise DemoProblem(f"{Path(argv[0]).name} failed", *result.stderr.splitlines()[-10:])

    def service(self) -> Service:
        """Describe the server as a process. Its fast shutdown is SIGINT: SIGTERM waits for every client to leave."""
        return Service(
            "postgresql",
            (str(find_server(self.data) / "postgres"), "-D", str(self.data)),
            environment(),
            user=self.user.pw_name if self.user else None,
            stop_signal=signal.SIGINT,
        )

    def answers(self) -> bool:
        """Tell whether the server lets us in; a password it refuses is no reason to wait."""
        try:
            self.connect().close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise DemoProblem(
                    "the demo's PostgreSQL refuses the demo's password",
                    "secrets.json does not belong to this cluster. Start afresh: make demo-clean demo",
                ) from error
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect as the superuser."""
        return psycopg.connect(
            **self.parameters("postgres", database), password=self.words["postgres"], autocommit=True
        )

    def conninfo(self, role: str, database: str) -> str:
        """Say how to reach a database, with the password."""
        return make_conninfo(**self.parameters(role, database), password=self.words.password_of(role))

    def parameters(self, role: str, database: str) -> dict[str, str]:
        """Say how to reach a database, all but the password."""
        return {
            "host": "127.0.0.1",
            "port": str(self.port),
            "user": role,
            "dbname": database,
            "sslmode": "verify-full",
            "sslrootcert": str(self.places.tls / "ca.pem"),
        }

    def ensure_role(self, role: str) -> None:
        """Create a role that may log in, with the password that we keep."""
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            password = sql.Literal(self.words.password_of(role))
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(role), password),
            )

    def ensure_database(self, database: str, owner: str) -> None:
        """Create a database that only its owner may enter."""
        with self.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
                return
            name, role = sql.Identifier(database), sql.Identifier(owner)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


def environment() -> dict[str, str]:
    """Give the server a clean environment: a stray PG variable of the caller would reach it."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def find_server(data: Path) -> Path:
    """Find the server's programs: the version that made the data, or the oldest that is supported."""
    installed = {
        int(folder.parent.name): folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdigit() and (folder / "postgres").exists()
    }
    made_by = data / "PG_VERSION"
    if made_by.exists():
        wanted = int(made_by.read_text())
        if wanted not in installed:
            raise DemoProblem(
                f"the demo's data was made by PostgreSQL {wanted}, which is not installed any more",
                "Install it again, or start afresh: make demo-clean demo",
            )
        return installed[wanted]
    supported = [version for version in installed if version >= OLDEST]
    if not supported:
        raise DemoProblem(
            f"no PostgreSQL server of version {OLDEST} or newer is installed", "apt-get install postgresql"
        )
    return installed[min(supported)]
