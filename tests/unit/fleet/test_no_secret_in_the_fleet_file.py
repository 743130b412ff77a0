"""A secret in the fleet file is refused, and never repeated in the message that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_files import problems
from pgtend.fleet.leaks import is_secret_name

HEAD = "fleet: clinic\ndatabases:\n  kgc:\n"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("password: hunter2", "databases.kgc.password (line 4): a secret is written here"),
        ("api_key: hunter2", "databases.kgc.api_key (line 4): a secret is written here"),
        (
            "connection: postgresql://kgc:hunter2@db/kgc",
            "databases.kgc.connection (line 4): an address with a password in it is written here",
        ),
        (
            "connection: host=db password=hunter2",
            "databases.kgc.connection (line 4): a connection string with a password in it is written here",
        ),
        (
            "connection: postgresql://db/kgc?password=hunter2",
            "databases.kgc.connection (line 4): a connection string with a password in it is written here",
        ),
        ("owner: AKIAHUNTER2HUNTER222", "databases.kgc.owner (line 4): an AWS access key is written here"),
    ],
)
def test_a_secret_is_refused_without_being_repeated(tmp_path: Path, line: str, where: str) -> None:
    """The message names the place and the way out, and holds nothing of the secret."""
    said = problems(tmp_path, f"{HEAD}    {line}\n")
    assert [problem.partition(" (the fleet file holds no secrets")[0] for problem in said] == [where]
    assert "hunter2" not in said[0].lower()


def test_a_secret_in_a_place_of_the_wrong_shape_is_not_shown_either(tmp_path: Path) -> None:
    """Where a block is expected and an address stands, the complaint about the shape would show it."""
    said = problems(tmp_path, "fleet: clinic\ndatabases:\n  kgc: postgresql://kgc:hunter2@db/kgc\n")
    assert [problem.partition(" is written")[0] for problem in said] == [
        "databases.kgc (line 3): an address with a password in it"
    ]


@pytest.mark.parametrize("name", ["kms_key", "path_style", "bypass", "tokens", "keep"])
def test_ordinary_names_are_not_taken_for_secrets(name: str) -> None:
    """A wrong alarm would tell people to change a secret that was never there."""
    assert not is_secret_name(name)
