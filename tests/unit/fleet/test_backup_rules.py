"""What the fleet file may say about backups, and how it says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgtend.fleet.load import BadFleetFile, load_fleet
from pgtend.kernel.sizes import Bytes

KEY = "age1hq974g6szett73nasgasq75hn2l0g8e8ygnhv0mdj6w5ks6mnv6qml6879"


def fleet_of(tmp_path: Path, rules: str, keys: str = f"operations: {KEY}") -> Path:
    """Write a fleet of one database."""
    path = tmp_path / "fleet.yaml"
    path.write_text(f"fleet: clinic\nkeys: {{recipients: {{{keys}}}}}\ndatabases:\n  kgc: {{{rules}}}\n")
    return path


@pytest.mark.parametrize(
    ("rules", "schedule"),
    [
        ("", "0 2 * * *"),
        ("window: {start: '03:00', end: '04:00'}", "30 3 * * *"),
        ("window: {start: '22:00', end: '03:00'}", "0 2 * * *"),
        ("backup: {schedule: '15 1 * * *'}", "15 1 * * *"),
    ],
)
def test_backups_start_at_two_or_inside_the_window(tmp_path: Path, rules: str, schedule: str) -> None:
    """A window that is closed at two gets a start of its own."""
    assert load_fleet(fleet_of(tmp_path, rules)).databases["kgc"].backup.schedule == schedule


def test_sizes_are_written_with_their_unit(tmp_path: Path) -> None:
    """As everywhere in PostgreSQL, a megabyte is 1024 kilobytes."""
    rules = load_fleet(fleet_of(tmp_path, "backup: {own_part_from: 1.5 GB}")).databases["kgc"].backup
    assert rules.own_part_from == Bytes(1_610_612_736)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ("backup: {own_part_from: 12}", "expected a size"),
        ("backup: {own_part_from: 5 parsecs}", "is not a size"),
        ("backup: {own_part_from: 0 MB}", "is nothing at all"),
        ("backup: {encrypt_to: [operation]}", "unknown recipient 'operation'"),
        ("backup: {unencrypted: true, encrypt_to: [operations]}", "unencrypted contradicts encrypt_to"),
        ("backup: {schedule: '0 9 * * *'}", "outside the window"),
        ("backup: {read_back: some}", "read_back"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, rules: str, complaint: str) -> None:
    """Each mistake has its own sentence."""
    with pytest.raises(BadFleetFile, match=complaint):
        load_fleet(fleet_of(tmp_path, rules))


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    """One wrong letter is enough to seal for nobody."""
    with pytest.raises(BadFleetFile, match="no public key of age"):
        load_fleet(fleet_of(tmp_path, "", keys=f"operations: {KEY[:-1]}"))


def test_a_private_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """Whoever pastes the wrong half is told to make a new pair, and no log shows the old one."""
    private = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
    with pytest.raises(BadFleetFile) as caught:
        load_fleet(fleet_of(tmp_path, "", keys=f"operations: {private}"))
    assert private not in str(caught.value)
