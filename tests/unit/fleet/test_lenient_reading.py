"""What stays usable of a fleet file that has mistakes: sound databases, and never by rules that nobody wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_files import write
from pgtend.fleet.load import FleetReading, read_fleet
from pgtend.fleet.model import Fleet


def reading(folder: Path, text: str) -> FleetReading:
    """Read a fleet file that is partly wrong."""
    return read_fleet(write(folder, text))


def usable(folder: Path, text: str) -> Fleet:
    """Read the usable part of a fleet file that is partly wrong."""
    read = reading(folder, text)
    assert read.problems, "the file was meant to have a mistake"
    assert read.fleet is not None
    return read.fleet


@pytest.mark.parametrize(
    "broken",
    [
        "  scribemed: {conection: x}",
        "  scribemed: {analyze: {schedule: 99 1 * * *}}",
        "  scribemed: {analyze: {schedule: 0 12 * * *}}",
        "  scribemed: {vault: nowhere}",
        "  scribemed: {connection: }",
        "  scribemed: {}\n  scribemed: {owner: me}",
        "  scribemed: nightly",
        "  scribemed: {password: hunter2}",
        "  Scribemed: {}",
        "  fleet: {}",
    ],
)
def test_a_broken_database_is_left_out_and_the_others_stay(tmp_path: Path, broken: str) -> None:
    """A mistake in one database does not stop the night of the others."""
    fleet = usable(tmp_path, f"fleet: clinic\ndatabases:\n  kgc:\n{broken}\n  vaxtrace:\n")
    assert list(fleet.databases) == ["kgc", "vaxtrace"]


def test_of_two_databases_with_one_connection_neither_is_tended(tmp_path: Path) -> None:
    """Nobody can tell which of the two names was meant."""
    text = "fleet: clinic\ndatabases:\n  kgc:\n  scribemed: {connection: kgc}\n  vaxtrace:\n"
    assert list(usable(tmp_path, text).databases) == ["vaxtrace"]


def test_a_broken_vault_takes_its_databases_along_and_moves_nobody(tmp_path: Path) -> None:
    """A database that used the first vault by default does not silently use the second one."""
    text = """
fleet: clinic
vaults:
  near: {s3: {buket: copies}}
  far: {folder: {path: /srv/far}}
databases:
  kgc:
  vaxtrace: {vault: far}
"""
    fleet = usable(tmp_path, text)
    assert list(fleet.databases) == ["vaxtrace"]
    assert list(fleet.vaults) == ["far"]


def test_a_broken_channel_leaves_the_other_channels(tmp_path: Path) -> None:
    """People are still told through what is sound."""
    text = """
fleet: clinic
alerts:
  remind_every: daily
  channels:
    mail: {smtp: {connection: mail, to: nobody}}
    chat: {apprise: {connection: chat}}
databases:
  kgc:
"""
    fleet = usable(tmp_path, text)
    assert list(fleet.alerts.channels) == ["chat"]
    assert list(fleet.databases) == ["kgc"]


@pytest.mark.parametrize(
    "line", ["environment: prod", "ledgr: {connection: x}", "ledger: {}", "owner: 5", "owner: a\nowner: b", "a: [b"]
)
def test_broken_rules_of_the_whole_fleet_leave_nothing(tmp_path: Path, line: str) -> None:
    """By which rules, and into which ledger, nobody could say: nothing runs until it is corrected."""
    read = reading(tmp_path, f"fleet: clinic\n{line}\ndatabases:\n  kgc:\n")
    assert read.fleet is None
    assert read.problems


def test_a_sound_file_has_no_problems(tmp_path: Path) -> None:
    """Both readers agree about a file that is right."""
    read = reading(tmp_path, "fleet: clinic\ndatabases:\n  kgc:\n")
    assert read.problems == ()
    assert read.fleet is not None
    assert list(read.fleet.databases) == ["kgc"]
