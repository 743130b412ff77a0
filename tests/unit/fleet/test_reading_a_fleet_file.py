"""A good fleet file is short, and means what a reader would expect."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from fleet_files import SMALLEST, load, write
from pgtend.fleet.load import fleet_path
from pgtend.fleet.model import FolderVault, Limits, Window


def test_three_lines_are_enough_for_a_database(tmp_path: Path) -> None:
    """A database that says nothing gets production's limits, its window and a schedule inside it."""
    kgc = load(tmp_path, SMALLEST).databases["kgc"]
    assert (kgc.name, kgc.connection, kgc.owner, kgc.vault) == ("kgc", "kgc", "pgtend", "main")
    assert kgc.limits == Limits(
        sessions=4,
        connect_timeout=timedelta(seconds=5),
        statement_timeout=timedelta(minutes=30),
        lock_timeout=timedelta(seconds=5),
    )
    assert kgc.window == Window(start=time(1), end=time(5), timezone="UTC")
    assert kgc.analyze.schedule == "30 1 * * *"
    assert kgc.analyze.window == kgc.window


def test_a_database_can_be_just_its_name(tmp_path: Path) -> None:
    """The name alone is a whole database: its connection is called the same."""
    fleet = load(tmp_path, "fleet: clinic\ndatabases:\n  kgc:\n")
    assert fleet.databases["kgc"].connection == "kgc"


def test_without_vaults_a_folder_is_the_vault(tmp_path: Path) -> None:
    """A first copy needs no bucket: the vault is a folder in the user's home."""
    main = load(tmp_path, SMALLEST).vaults["main"]
    assert main.folder == FolderVault(path="~/.local/share/pgtend/vault")


@pytest.mark.parametrize(
    ("environment", "sessions", "statement_timeout", "window"),
    [
        ("development", 2, timedelta(minutes=5), "always open (UTC)"),
        ("test", 2, timedelta(minutes=1), "always open (UTC)"),
        ("staging", 4, timedelta(minutes=30), "00:00 to 06:00 UTC"),
        ("production", 4, timedelta(minutes=30), "01:00 to 05:00 UTC"),
    ],
)
def test_the_environment_decides_what_is_not_written(
    tmp_path: Path, environment: str, sessions: int, statement_timeout: timedelta, window: str
) -> None:
    """Each environment has limits and a window of its own."""
    kgc = load(tmp_path, f"environment: {environment}{SMALLEST}").databases["kgc"]
    assert (kgc.limits.sessions, kgc.limits.statement_timeout) == (sessions, statement_timeout)
    assert str(kgc.window) == window


def test_one_limit_of_our_own_leaves_the_others_to_the_environment(tmp_path: Path) -> None:
    """Setting one limit does not reset its neighbours to another environment's."""
    text = "environment: test\nfleet: clinic\ndatabases:\n  kgc: {limits: {sessions: 7}}\n"
    assert load(tmp_path, text).databases["kgc"].limits == Limits(
        sessions=7,
        connect_timeout=timedelta(seconds=2),
        statement_timeout=timedelta(minutes=1),
        lock_timeout=timedelta(seconds=2),
    )


def test_the_fleet_s_owner_zone_and_only_vault_reach_every_database(tmp_path: Path) -> None:
    """What is said once for the fleet is not repeated for each database."""
    text = """
fleet: clinic
owner: data-team
timezone: Africa/Lagos
vaults:
  archive: {folder: {path: /srv/vault}}
databases:
  kgc:
  scribemed: {owner: scribes, window: {start: 22:00, end: 02:00, timezone: UTC}}
"""
    fleet = load(tmp_path, text)
    kgc, scribemed = fleet.databases["kgc"], fleet.databases["scribemed"]
    assert (kgc.owner, kgc.vault, str(kgc.window)) == ("data-team", "archive", "01:00 to 05:00 Africa/Lagos")
    assert (scribemed.owner, str(scribemed.window)) == ("scribes", "22:00 to 02:00 UTC")
    assert scribemed.analyze.schedule == "30 22 * * *"


def test_a_window_for_one_pipeline_starts_from_the_database_s(tmp_path: Path) -> None:
    """Shortening the window of one pipeline keeps the rest of the database's window."""
    text = """
fleet: clinic
databases:
  kgc:
    window: {start: 22:00, end: 04:00, timezone: Africa/Lagos}
    analyze: {window: {end: 23:00}}
"""
    kgc = load(tmp_path, text).databases["kgc"]
    assert str(kgc.analyze.window) == "22:00 to 23:00 Africa/Lagos"
    assert str(kgc.window) == "22:00 to 04:00 Africa/Lagos"


def test_rules_can_be_shared_by_marks(tmp_path: Path) -> None:
    """YAML's own way to write something once works, and what is set beside it wins."""
    text = """
fleet: clinic
databases:
  kgc: &rules
    owner: data-team
    analyze: {changed_rows_floor: 10}
    connection: kgc_direct
  healthmate:
    <<: *rules
    connection: healthmate
"""
    healthmate = load(tmp_path, text).databases["healthmate"]
    assert (healthmate.owner, healthmate.connection) == ("data-team", "healthmate")
    assert healthmate.analyze.changed_rows_floor == 10


def test_the_fleet_file_is_found_where_people_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable wins over the file in the working directory, and that one over the home's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("PGTEND_FLEET", raising=False)
    assert fleet_path() == Path("/home/ada/.config/pgtend/fleet.yaml")
    write(tmp_path, SMALLEST)
    assert fleet_path() == Path("fleet.yaml")
    monkeypatch.setenv("PGTEND_FLEET", "~/other.yaml")
    assert fleet_path() == Path("/home/ada/other.yaml")
