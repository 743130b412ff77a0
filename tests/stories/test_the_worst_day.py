"""The page for the worst day, typed as it stands: real servers, two buckets, and the keys in a person's home."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bed.clusters import ROOT, Clusters, asked, statement, tools_of
from bed.s3_servers import S3Site, ministack_server
from pgtend.postgres.identifiers import database as called
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.vault.agekeys import KeyPair, new_pair

__all__ = ["ministack_server"]

PAGE = (ROOT / "docs" / "how-to" / "the-worst-day.md").read_text(encoding="utf-8")
BUCKETS = ("hospital-backups", "hospital-backups-west")
ROLES = ("kgc_app", "kgc_owner")
ROWS = 300


def block(heading: str, number: int = 0) -> str:
    """Take what the page says is to be typed below a heading."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)[number]


@dataclass(slots=True)
class Home:
    """A person's home on the worst day: services, keys, and who may read the vault."""

    folder: Path
    old: ThrowawayServer
    new: ThrowawayServer
    site: S3Site
    pairs: dict[str, KeyPair]
    before: str = ""

    def type(self, words: str, *, answer: str = "", folder: Path | None = None, **more: str) -> str:
        """Type something into a shell, see that it ends well, and tell what it said."""
        done = self.typed(words, answer=answer, folder=folder, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def typed(
        self, words: str, *, answer: str = "", folder: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type something into a shell, line by line until one fails."""
        programs = (Path(sys.executable).parent, self.new.tools.folder, *os.environ["PATH"].split(":"))
        environment = {
            "PATH": ":".join(map(str, programs)),
            "HOME": str(self.folder),
            "PGTEND_PG_BINDIRS": ",".join(f"{major}:{tools_of(major).folder}" for major in (15, 18)),
            "AWS_ENDPOINT_URL": self.site.endpoint,
            "COLUMNS": "200",
            **more,
        }
        # A moment before the damage is one that the page takes from a person, and a test from the clock.
        said = re.sub(r"BEFORE='.*?'", f"BEFORE='{self.before}'", words)
        return subprocess.run(
            ("/bin/bash", "-e", "-o", "pipefail", "-c", said),
            cwd=folder or self.folder,
            env=environment,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, server: ThrowawayServer, database: str, question: str) -> str:
        """Ask a database for one word."""
        with server.session(database) as session:
            return session.row(asked(f"SELECT ({question})::text AS word")).word

    def run(self, *statements: str) -> None:
        """Do something to the database."""
        with self.old.session("kgc") as session:
            for text in statements:
                session.run(statement(text))

    def write_fleet(self) -> None:
        """Write the fleet file, with every key that there is."""
        place = {"endpoint": self.site.endpoint, "path_style": True, "region": "us-east-1"}
        plan = {
            "fleet": "hospital",
            "vaults": {
                "main": {"s3": {"bucket": BUCKETS[0], **place}},
                "west": {"s3": {"bucket": BUCKETS[1], **place}},
            },
            "keys": {"recipients": {name: pair.public for name, pair in self.pairs.items()}},
            "databases": {"kgc": {"backup": {"copies": {"west": {}}}}},
        }
        (self.folder / "fleet.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")


@pytest.fixture
def home(clusters: Clusters, ministack_server: S3Site, tmp_path: Path) -> Generator[Home]:
    """Give a home, a hospital's database with its roles, and a backup of it in two places."""
    made = Home(
        tmp_path,
        clusters.server(15),
        clusters.server(18),
        ministack_server,
        {"operations": new_pair(), "escrow": new_pair()},
    )
    _furnish(made)
    try:
        made.type("pgtend backup kgc --yes && pgtend copy kgc")
        made.before = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        yield made
    finally:
        for server in (made.old, made.new):
            _clean(server)
        _empty(made.site)


def _furnish(home: Home) -> None:
    for name, pair in home.pairs.items():
        key = home.folder / f"{name}.key"
        key.touch(mode=0o600)
        key.write_text(pair.key_file(), encoding="utf-8")
    services = (("kgc", home.old, "kgc"), ("kgc_server", home.old, "postgres"), ("new_server", home.new, "postgres"))
    lines = [
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in server.superuser(database).params.items())
        for name, server, database in services
    ]
    (home.folder / ".pg_service.conf").write_text("\n".join(lines), encoding="utf-8")
    (home.folder / ".aws").mkdir()
    (home.folder / ".aws" / "credentials").write_text(
        f"[default]\naws_access_key_id={home.site.key.key_id}\naws_secret_access_key={home.site.key.secret}\n",
        encoding="utf-8",
    )
    with home.site.raw() as client:
        for bucket in BUCKETS:
            client.create_bucket(Bucket=bucket)
    home.write_fleet()
    with home.old.session() as session:
        for text in ("CREATE ROLE kgc_owner", "CREATE ROLE kgc_app LOGIN", "CREATE DATABASE kgc OWNER kgc_owner"):
            session.run(statement(text))
    home.run(
        "CREATE TABLE public.visits (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)",
        "ALTER TABLE public.visits OWNER TO kgc_owner",
        "GRANT SELECT ON public.visits TO kgc_app",
        "INSERT INTO public.visits (note) SELECT 'note ' || x FROM generate_series(1, 300) AS x",
    )


def _clean(server: ThrowawayServer) -> None:
    ours = asked("SELECT datname::text AS word FROM pg_database WHERE datname ~ '^(kgc|restored$)'")
    with server.session() as session:
        for found in session.rows(ours):
            session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(found.word))
        for role in ROLES:
            session.run(statement("DROP ROLE IF EXISTS {name}"), name=called(role))


def _empty(site: S3Site) -> None:
    with site.raw() as client:
        for bucket in BUCKETS:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for one in page.get("Contents", []):
                    client.delete_object(Bucket=bucket, Key=one.get("Key", ""))
            client.delete_bucket(Bucket=bucket)


def test_what_there_is_can_be_seen_with_an_address_and_a_key(home: Home) -> None:
    """Without fleet file and ledger."""
    (home.folder / "fleet.yaml").unlink()
    said = home.type(block("First"))
    assert "every stored byte, opened, and every row counted" in said


def test_a_server_that_is_gone_comes_back_on_a_newer_one(home: Home) -> None:
    """With the roles that the backup names, and nothing but an address and a key."""
    (home.folder / "fleet.yaml").unlink()
    said = home.type(block("The whole server is gone"))
    assert f"{ROWS} rows, identical in rows, fingerprints, sequences, inventory" in said
    home.type(block("The whole server is gone", 1))
    assert home.ask(home.new, "kgc", "SELECT count(*) FROM public.visits") == str(ROWS)
    assert home.ask(home.new, "kgc", "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'kgc_app'") == "true"


def test_a_table_that_was_emptied_is_filled_again(home: Home) -> None:
    """Also when a backup was taken since, and the sequence goes on where it was."""
    home.run("DELETE FROM public.visits")
    home.type("sleep 1.1; pgtend backup kgc --yes")
    home.type(block("One table was emptied"))
    home.type(block("One table was emptied", 1))
    lines = home.typed(block("One table was emptied", 2)).stdout.splitlines()
    assert (len(lines), len(set(lines)), lines[0].split("|")[0]) == (2, 1, str(ROWS))
    home.run("INSERT INTO public.visits (note) VALUES ('new')")
    assert home.ask(home.old, "kgc", "SELECT max(id) FROM public.visits") == str(ROWS + 1)
    again = home.typed(block("One table was emptied", 1))
    assert (again.returncode != 0, "duplicate key" in again.stderr) == (True, True)


def test_a_row_that_is_wrong_is_set_right_and_no_other(home: Home) -> None:
    """What others wrote since stays."""
    home.run(
        "UPDATE public.visits SET note = 'wrong' WHERE id = 7", "UPDATE public.visits SET note = 'new' WHERE id = 8"
    )
    assert "note 7" in home.type(block("One row is wrong since Tuesday"))
    assert home.type(block("One row is wrong since Tuesday", 1)).endswith("UPDATE 1")
    assert (
        home.ask(home.old, "kgc", "SELECT string_agg(note, ',') FROM public.visits WHERE id IN (7, 8)") == "new,note 7"
    )


def test_a_whole_database_changes_places_with_the_one_before_the_damage(home: Home) -> None:
    """It asks for the name, and keeps what was there."""
    home.run("UPDATE public.visits SET note = 'wrong'")
    said = home.type(block("The whole database is wrong, and the server is well"), answer="kgc\n")
    assert "identical in rows" in said
    assert home.ask(home.old, "kgc", "SELECT count(*) FROM public.visits WHERE note = 'wrong'") == "0"


def test_the_key_in_escrow_opens_everything_and_a_new_one_follows(home: Home) -> None:
    """The lost one is away, and the next backup is sealed for another."""
    (home.folder / "operations.key").unlink()
    said = home.type(block("The key is lost, and the one in escrow is there"))
    assert "identical" in said
    public = re.search(r"age1\w+", said)
    assert public is not None
    plan = yaml.safe_load((home.folder / "fleet.yaml").read_text(encoding="utf-8"))
    plan["keys"]["recipients"]["operations"] = public.group()
    (home.folder / "fleet.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    assert "it is the key of operations" in home.type(block("The key is lost, and the one in escrow is there", 1))


def test_a_copy_is_enough_when_the_first_region_is_gone(home: Home) -> None:
    """The first bucket is empty, as is the fleet's memory."""
    with home.site.raw() as client:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKETS[0]):
            for one in page.get("Contents", []):
                client.delete_object(Bucket=BUCKETS[0], Key=one.get("Key", ""))
    assert f"{ROWS} rows, identical" in home.type(block("The vault of the first region is gone"))


def test_stock_tools_are_enough(home: Home) -> None:
    """By what the manifest says, in a folder that any client of S3 fetched."""
    folder = home.folder / "fetched"
    folder.mkdir()
    with home.site.raw() as client:
        found = client.list_objects_v2(Bucket=BUCKETS[0], Prefix="backups/hospital/kgc/").get("Contents", [])
        for one in found:
            key = one.get("Key", "")
            client.download_file(BUCKETS[0], key, str(folder / key.rpartition("/")[2]))
    at = home.new.superuser().params
    where = {"PGHOST": at["host"], "PGPORT": at["port"], "PGUSER": at["user"]}
    assert ": OK" in home.type(block("No pgtend at hand"), folder=folder, **where)
    assert home.ask(home.new, "restored", "SELECT count(*) FROM public.visits") == str(ROWS)


def test_in_the_end_it_is_stored_and_proved(home: Home) -> None:
    """What the page ends with works where it began."""
    assert "PASS" in home.type(block("When it is over"))


def test_every_line_of_the_page_is_typed_here() -> None:
    """A block that is added to the page is added here as well."""
    source = Path(__file__).read_text(encoding="utf-8")
    typed = {(heading, int(number or 0)) for heading, number in re.findall(r'block\("(.*?)"(?:, (\d))?\)', source)}
    parts = [(part.partition("\n")[0], part.count("```sh\n")) for part in PAGE.split("\n## ")[1:]]
    assert typed == {(heading, number) for heading, amount in parts for number in range(amount)}
