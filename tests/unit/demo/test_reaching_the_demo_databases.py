"""How the demo's scripts come by their passwords, and what they read of an application's day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from demo.databases.roster import FLEET, TEAMS, DemoDataError, login_roles, read_secrets, with_password
from demo.databases.seed import SIZES
from demo.databases.workload import read_workload


def secrets_file(folder: Path, rights: int) -> Path:
    """Write a secrets file with the given rights."""
    path = folder / "secrets.json"
    path.write_text(json.dumps({"kgc_app": "canary"}), encoding="utf-8")
    path.chmod(rights)
    return path


def test_a_secrets_file_of_our_own_is_read(tmp_path: Path) -> None:
    """Passwords come by role."""
    assert read_secrets(secrets_file(tmp_path, 0o600)) == {"kgc_app": "canary"}
    assert read_secrets(None) == {}


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o644])
def test_a_secrets_file_that_others_can_read_is_refused(tmp_path: Path, rights: int) -> None:
    """A password that others can read is no secret; the message says what to do and not what is in it."""
    path = secrets_file(tmp_path, rights)
    with pytest.raises(DemoDataError, match="chmod 600") as refusal:
        read_secrets(path)
    assert "canary" not in str(refusal.value)


def test_a_password_on_the_command_line_is_refused() -> None:
    """Everybody on the machine sees the arguments of a process."""
    with pytest.raises(DemoDataError, match="secrets file") as refusal:
        with_password("host=db.example password=canary", {})
    assert "canary" not in str(refusal.value)
    with pytest.raises(DemoDataError):
        with_password("postgresql://me:canary@db.example/", {})


def test_the_password_of_the_named_user_is_added() -> None:
    """Only the one who logs in gets one."""
    named = conninfo_to_dict(with_password("host=x user=kgc_app", {"kgc_app": "s"}))
    assert named == {"host": "x", "user": "kgc_app", "password": "s"}
    assert conninfo_to_dict(with_password("host=x user=other", {"kgc_app": "s"})) == {"host": "x", "user": "other"}


def test_every_role_that_logs_in_is_named_once() -> None:
    """Whoever makes the passwords asks here for whom."""
    assert login_roles(("kgc", "heliotrope")) == ("pgtend", "kgc_app", "kgc_reporting", "heliotrope_app")
    assert len(set(login_roles())) == len(login_roles()) == 10


def test_every_size_has_amounts_for_every_database() -> None:
    """Nobody finds out half-way that a size lacks a database."""
    assert {size: tuple(amounts) for size, amounts in SIZES.items()} == dict.fromkeys(
        ("development", "test", "staging"), FLEET
    )


def test_a_day_of_traffic_is_read_as_it_is_written() -> None:
    """Headings carry name and weight; an action's statements stay in order."""
    workload = read_workload(TEAMS["kgc"])
    assert tuple(workload.picks) == ("patient", "doctor", "topic", "feature")
    login = workload.actions[0]
    assert (login.name, login.weight, len(login.statements)) == ("log_in_by_username", 8, 3)
    assert login.statements[1] == "UPDATE users SET last_login_at = now() WHERE id = %(user_id)s"
