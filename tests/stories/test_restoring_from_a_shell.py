"""What a person types on the worst day: with a fleet file, and with nothing but a vault and a key."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bed.clusters import LiveDatabase, asked, new_database, statement
from bed.drilling import forge
from bed.restoring import Stage, names_like
from pgtend.postgres.identifiers import database as called


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell with a key file, and a fleet file that may be missing."""

    stage: Stage
    origin: LiveDatabase
    key: Path
    copies: bool = False

    def pgtend(self, *arguments: str, typed: str = "", fleet: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command as people do."""
        home = self.stage.folder / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PGTEND_PG_BINDIRS": os.environ["PGTEND_PG_BINDIRS"],
            "NO_COLOR": "1",
            "COLUMNS": "200",
            **({"PGTEND_FLEET": str(self.fleet_file())} if fleet else {}),
        }
        command = Path(sys.executable).parent / "pgtend"
        return subprocess.run(
            (str(command), *arguments), input=typed, capture_output=True, text=True, env=environment, check=False
        )

    def fleet_file(self) -> Path:
        """Write the fleet file."""
        path = self.stage.folder / "fleet.yaml"
        plan: dict[str, Any] = {
            "fleet": "clinic",
            "vaults": {"main": {"folder": {"path": str(self.stage.folder / "vault")}}},
            "keys": {"recipients": {"operations": self.stage.keys.public}},
            "databases": {"subject": {"connection": self.origin.superuser.conninfo}},
        }
        if self.copies:
            plan["vaults"]["far"] = {"folder": {"path": str(self.far)}}
            plan["databases"]["subject"]["backup"] = {"copies": {"far": {}}}
        path.write_text(json.dumps(plan), encoding="utf-8")
        return path

    @property
    def far(self) -> Path:
        """Where the second vault is."""
        return self.stage.folder / "far"

    @property
    def server(self) -> str:
        """How the server is reached."""
        return self.origin.server.superuser().conninfo


@pytest.fixture
def shell(stage: Stage) -> Generator[Shell]:
    """Give a shell beside a database of which there is a backup."""
    with new_database(stage.server) as made:
        made.run("CREATE TABLE public.note (id int PRIMARY KEY, text text)", "INSERT INTO public.note VALUES (1, 'a')")
        stage.take(made.name)
        key = stage.folder / "key.txt"
        key.touch(mode=0o600)
        key.write_text(stage.keys.key_file(), encoding="utf-8")
        yield Shell(stage, made, key)
        with stage.server.session() as session:
            for name in names_like(stage, f"{made.name}_"):
                session.run(statement("DROP DATABASE {name} WITH (FORCE)"), name=called(name))


def notes(shell: Shell, name: str) -> str:
    """Count the notes in a database."""
    with shell.origin.session(shell.origin.server.superuser(name)) as session:
        return session.row(asked("SELECT count(*)::text AS word FROM public.note")).word


@pytest.mark.pg(">= 18")
def test_a_vault_and_a_key_are_enough(shell: Shell) -> None:
    """No fleet file, no ledger, no Airflow: one command brings the database back, and says that it is identical."""
    name = f"{shell.origin.name}_back"
    vault = str(shell.stage.folder / "vault")
    source = ("--from", vault, "--key", str(shell.key), "--to", shell.server, "--database", name)
    done = shell.pgtend("restore", *source, fleet=False)
    assert (done.returncode, done.stderr.count("HINT")) == (0, 0), done.stderr
    assert "identical in rows, fingerprints, sequences, inventory" in " ".join(done.stdout.split())
    assert notes(shell, name) == "1"


@pytest.mark.pg(">= 18")
def test_a_fleet_file_makes_it_shorter_and_the_ledger_remembers(shell: Shell) -> None:
    """The vault is known by then; JSON says the same to programs."""
    name = f"{shell.origin.name}_back"
    options = ("--to", shell.server, "--database", name, "--key", str(shell.key), "--json")
    done = shell.pgtend("restore", "subject", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["identical"], told["database"], told["rows"]) == (True, name, 1)
    assert [run["pipeline"] for run in json.loads(shell.pgtend("runs", "--json").stdout)] == ["restore"]


@pytest.mark.pg(">= 18")
def test_replacing_wants_the_name_typed_and_keeps_the_old_one(shell: Shell) -> None:
    """A wrong name ends in a refusal; the right one takes a backup and changes places."""
    shell.origin.run("DELETE FROM public.note")
    replacing = ("restore", "subject", "--in-place", "--key", str(shell.key))
    refused = shell.pgtend(*replacing, typed="subject\n")
    assert (refused.returncode, notes(shell, shell.origin.name)) == (77, "0")
    done = shell.pgtend(*replacing, "--json", typed=f"{shell.origin.name}\n")
    assert done.returncode == 0, done.stderr
    assert notes(shell, shell.origin.name) == "1"
    aside = names_like(shell.stage, f"{shell.origin.name}_before_")
    assert [notes(shell, name) for name in aside] == ["0"]
    assert json.loads(done.stdout)["set_aside"] == aside[0]
    assert len(shell.stage.catalogue().entries) == 2


@pytest.mark.pg(">= 18")
def test_a_database_of_another_server_is_not_replaced(shell: Shell) -> None:
    """What is there would be stored as the newest backup of the original, and the next restore would take it."""
    replacing = ("restore", "subject", "--in-place", "--to", shell.server, "--key", str(shell.key))
    done = shell.pgtend(*replacing, typed=f"{shell.origin.name}\n")
    assert done.returncode == 0, done.stderr
    original = shell.stage.catalogue().choose("latest").manifest
    forge(shell.stage, original, {"source.system_identifier": "7"})
    refused = shell.pgtend(*replacing, typed=f"{shell.origin.name}\n")
    assert (refused.returncode, "is not the server that backup" in refused.stderr) == (77, True), refused.stderr
    assert len(shell.stage.catalogue().entries) == 2


@pytest.mark.pg(">= 18")
def test_who_tries_again_gets_the_backup_and_not_what_the_first_try_saved(shell: Shell) -> None:
    """Before it replaces anything a restore in place stores what is there: that must never be the latest to restore."""
    shell.origin.run("DELETE FROM public.note")
    replacing = ("restore", "subject", "--in-place", "--key", str(shell.key))
    first = shell.stage.catalogue().entries[0].backup_id
    for _ in range(2):
        done = shell.pgtend(*replacing, typed=f"{shell.origin.name}\n")
        assert (done.returncode, notes(shell, shell.origin.name)) == (0, "1"), done.stderr
        shell.origin.run("DELETE FROM public.note")
        time.sleep(1.1)  # The databases that are set aside have the second in their name.
    newer = shell.stage.catalogue().entries[0].backup_id
    said = " ".join(done.stderr.split())
    saved = shell.stage.catalogue().entries[1].backup_id
    assert f"backup {saved} is newer and holds what a restore in place was about to replace, so {first} is" in said
    # Who means it gets it by its name, with what it is.
    beside = ("--to", shell.server, "--database", f"{shell.origin.name}_saved", "--key", str(shell.key))
    told = " ".join(shell.pgtend("restore", "subject", "--backup", newer, *beside).stdout.split())
    assert "Note: It was taken of what a restore in place was about to replace." in told


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("restore", "subject"), 78, "--to is missing"),
        (("restore", "subject", "--in-place", "--schema-only"), 78, "--in-place replaces a whole database"),
        (("restore", "subject", "--to", "host=/x", "--create-roles", "--no-owner"), 78, "contradict each other"),
        (("restore", "subject", "--to", "host=/x", "--backup", "2020-01-01"), 78, "there is no backup as early as"),
        (("restore", "subject", "--to", "host=/x"), 78, "is sealed, and no private key was named"),
        (("restore", "--from", "ftp://x", "--to", "host=/x"), 78, "'ftp://x' is no address of a vault"),
        (("backups", "subject", "--copy", "far"), 78, "'far' holds no backups of subject"),
        (("restore", "--from", "http://[::1", "--to", "host=/x"), 78, "'http://[::1' is no address of a vault"),
        (("restore", "--from", "~nobody-at-all/x", "--to", "host=/x"), 78, "is no address of a vault"),
        (("restore", "subject", "--from", "", "--to", "host=/x"), 2, "nothing is written here"),
        (("backups", "subject", "--copy", " "), 2, "nothing is written here"),
        (("backups", "subject", "--from", "/x", "--copy", "far"), 2, "both say where to look"),
        (("verify", "subject", "--from", "/x", "--copy", "far"), 2, "both say where to look"),
        (("restore", "subject", "--from", "/x", "--copy", "far", "--to", "host=/x"), 2, "both say where to look"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_done(
    shell: Shell, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """Each with what is wrong, and without a database made."""
    done = shell.pgtend(*arguments)
    assert (done.returncode, words in " ".join(done.stderr.split())) == (status, True), done.stderr
    assert names_like(shell.stage, f"{shell.origin.name}_") == []


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("ledger", ["nowhere", "{server} dbname=gone", "{server}"])
def test_a_ledger_that_is_lost_keeps_nobody_from_a_restore(shell: Shell, ledger: str) -> None:
    """Its service is not known here, its database is gone with the server, or it is an empty new one."""
    path = shell.fleet_file()
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["ledger"] = {"connection": ledger.format(server=shell.server)}
    fleet = path.with_name("with-ledger.yaml")
    fleet.write_text(json.dumps(plan), encoding="utf-8")
    done = shell.pgtend("--fleet", str(fleet), "restore", "subject", "--to", shell.server, "--key", str(shell.key))
    said = " ".join(done.stderr.split())
    assert (done.returncode, "This was the ledger. Or do without fleet file and ledger: pgtend" in said) == (78, True)


@pytest.mark.pg(">= 18")
def test_backups_are_listed_with_state_and_reason(shell: Shell) -> None:
    """A person sees how far each is known to be good and why it stays; a program sees the same."""
    shown = " ".join(shell.pgtend("backups", "subject").stdout.split())
    assert "VERIFIED" in shown
    assert "The one backup of subject in" in shown
    told = json.loads(shell.pgtend("backups", "subject", "--json").stdout)
    assert [(one["state"], one["rows"], one["keep"]) for one in told["backups"]] == [("VERIFIED", 1, True)]


@pytest.mark.pg(">= 18")
def test_a_missing_object_shows_in_the_list(shell: Shell) -> None:
    """Nobody has to read a byte to see that it is gone."""
    entry = shell.stage.catalogue().entries[0]
    part = entry.manifest.parts[0]
    shell.stage.vault.delete(entry.manifest.key_of(part))
    told = json.loads(shell.pgtend("backups", "subject", "--json").stdout)
    assert told["backups"][0]["state"] == "DAMAGED"
    assert told["backups"][0]["faults"] == [f"{part.name} is missing"]


@pytest.mark.pg(">= 18")
def test_retention_touches_nothing_unless_told_to(shell: Shell) -> None:
    """The dry run is the default, and --apply on what all stays removes nothing."""
    assert "The one backup of subject" in shell.pgtend("retention", "subject").stdout.replace("\n", " ")
    assert "removed 0 backups" in shell.pgtend("retention", "subject", "--apply").stdout
    assert len(shell.stage.catalogue().entries) == 1


@pytest.mark.pg(">= 18")
def test_a_vault_of_several_databases_wants_one_named(shell: Shell) -> None:
    """Guessing which database to restore would be worse than asking."""
    folder = shell.stage.folder / "vault" / "backups" / "clinic"
    shutil.copytree(folder / "subject", folder / "other")
    done = shell.pgtend("restore", "--from", str(shell.stage.folder / "vault"), "--to", shell.server, fleet=False)
    assert done.returncode == 78
    assert "clinic/other, clinic/subject" in " ".join(done.stderr.split())


@pytest.mark.pg(">= 18")
def test_a_second_vault_gets_the_backup_and_can_restore_it_alone(shell: Shell) -> None:
    """One command copies the stored bytes; the copy is judged where it is, and brings the database back by itself."""
    shell = dataclasses.replace(shell, copies=True)
    assert "[vault.folder_missing]" in shell.pgtend("copy", "subject").stderr
    shell.far.mkdir()
    done = shell.pgtend("copy", "subject")
    assert done.returncode == 0, done.stderr
    assert "far has every backup" in done.stdout
    told = json.loads(shell.pgtend("backups", "subject", "--copy", "far", "--json").stdout)
    assert [one["state"] for one in told["backups"]] == ["VERIFIED"]
    name = f"{shell.origin.name}_back"
    source = ("--from", str(shell.far), "--key", str(shell.key), "--to", shell.server, "--database", name)
    assert shell.pgtend("restore", *source, fleet=False).returncode == 0
    assert notes(shell, name) == "1"
    runs = json.loads(shell.pgtend("runs", "--json").stdout)
    assert [(run["pipeline"], run["outcome"]) for run in runs] == [
        ("catalogue", "succeeded"),
        ("copy", "succeeded"),
    ]
    # Who replaces a database from a copy may have lost the first vault: what was there is saved beside the copy.
    replacing = ("restore", "subject", "--in-place", "--copy", "far", "--key", str(shell.key), "--json")
    saved_as = json.loads(shell.pgtend(*replacing, typed=f"{shell.origin.name}\n").stdout)["saved_as"]
    written = "".join(path.read_text() for path in (shell.stage.folder / "home").rglob("evidence/*.jsonl"))
    assert [line for line in written.splitlines() if saved_as in line and '"far"' in line]


@pytest.mark.pg(">= 18")
def test_without_a_second_vault_nothing_is_claimed(shell: Shell) -> None:
    """A fleet that names none is told so, instead of a success about nothing."""
    assert "names no second vault for subject" in " ".join(shell.pgtend("copy", "subject").stdout.split())
