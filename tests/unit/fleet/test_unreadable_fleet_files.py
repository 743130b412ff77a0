"""Files that are no fleet file at all: each is refused with its line and a way out, and none takes the process down."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_files import problems, write
from pgtend.cli.desk import open_desk
from pgtend.fleet.load import BadFleetFile, load_fleet, read_fleet

HEAD = "fleet: clinic\ndatabases:\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the file is empty (write at least 'fleet:' and 'databases:')"),
        ("# later\n\n", "line 1: the file is empty (write at least 'fleet:' and 'databases:')"),
        ("- kgc\n", "line 1: a fleet file is a block of settings (start with 'fleet: <name>')"),
        (f"{HEAD}\tkgc:\n", "line 3: a tab character stands in front of this line (indent with spaces)"),
        (f"{HEAD}  kgc\n  b:\n", "line 3: a line without ':' after the name (write 'name: value')"),
        (f"{HEAD}  kgc: a: b\n", "line 3: a second ':' on one line (put the value in quotes, or start a new line)"),
        (f'{HEAD}  kgc: "a\n', "line 3: a quote is opened on line 3 and never closed (close it, or remove it)"),
        (
            f"{HEAD}  kgc:\n    analyze:\n      schedule: */5 1 * * *\n",
            "line 5: a value starts with '*' or '&', which YAML keeps for itself (put the value in quotes)",
        ),
        (
            f"{HEAD}  kgc: {{owner: a\n  b:\n",
            "line 4: a bracket is opened on line 3 and not closed (close it, or write one entry a line)",
        ),
        (
            f"{HEAD}  kgc: @x\n",
            "line 3: a value starts with a character that YAML keeps for itself (put the value in quotes)",
        ),
        (
            f"{HEAD}  kgc: !!python/object:os.system x\n",
            "line 3: tags such as '!name' have no meaning here (remove it)",
        ),
        (f"{HEAD}  ? [a]\n  : x\n", "line 3: a name must be plain text, not a list or a block"),
        (
            f"{HEAD}---\nfleet: b\n",
            "line 3: a second document starts here (keep one fleet in one file and remove '---')",
        ),
        (f"{HEAD}  kgc: \x01\n", "line 3: a character that no text file should contain"),
        ("[" * 100_000, "line 1: the blocks are nested too deeply to be a fleet file"),
        (BOMB, "line 1: repeating '&' marks by '*' makes this file far too large (repeat less)"),
        (f"{HEAD}  <<: [kgc]\n", "line 3: '<<' takes over a block that is marked with '&', and this is none"),
    ],
    ids=lambda value: value[:20] or "empty",
)
def test_what_is_no_yaml_of_ours_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    """The first thing the reader cannot understand is named in plain words, with its line."""
    assert problems(tmp_path, text) == [problem]


def test_a_missing_mark_is_not_repeated_because_it_may_be_a_password(tmp_path: Path) -> None:
    """A password that starts with '*' looks like a reference: it is not shown."""
    said = problems(tmp_path, f"{HEAD}  kgc: *hunter2\n")
    assert len(said) == 1
    assert said[0].startswith("line 3: a value that starts with '*'")
    assert "hunter2" not in said[0]


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    """The first error of a newcomer names the command that helps."""
    with pytest.raises(BadFleetFile, match=r"there is no such file .`pgtend init` writes one") as caught:
        load_fleet(tmp_path / "fleet.yaml")
    assert caught.value.hint == "Name the fleet file before the verb, pgtend --fleet PATH, or in $PGTEND_FLEET."


def test_a_directory_is_no_fleet_file(tmp_path: Path) -> None:
    """Naming the folder instead of the file says which file to name."""
    reading = read_fleet(tmp_path)
    assert [p.what for p in reading.problems] == ["this is a directory"]
    assert [p.hint for p in reading.problems] == [f"name the file in it: {tmp_path}/fleet.yaml"]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Ten megabytes are a mistake, not a fleet."""
    said = problems(tmp_path, "#" * 10_000_000)
    assert said == [f"{tmp_path}/fleet.yaml: the file is larger than 1 MB (this is hardly a fleet file)"]


def test_a_file_without_an_end_is_refused_as_a_huge_one() -> None:
    """It has no size to be asked for, and would take all the memory there is."""
    assert [p.what for p in read_fleet(Path("/dev/zero")).problems] == ["the file is larger than 1 MB"]


def test_a_home_is_found_where_no_shell_wrote_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells leave `~` alone in `--fleet=~/fleet.yaml`, and so does everybody where nobody has such a home."""
    monkeypatch.setenv("HOME", "/home/ada")
    assert open_desk(Path("~/fleet.yaml")).path == Path("/home/ada/fleet.yaml")
    monkeypatch.setenv("PGTEND_FLEET", "~nobody-at-all/fleet.yaml")
    assert [p.what for p in read_fleet(open_desk(None).path).problems] == ["there is no such file"]


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    """An editor that saves in another encoding is found out, at the line with the first such letter."""
    path = tmp_path / "fleet.yaml"
    path.write_bytes(b"fleet: clinic\nowner: caf\xe9\n")
    assert [str(p) for p in read_fleet(path).problems] == ["line 2: this is not UTF-8 text (save the file as UTF-8)"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Windows editors put one in front: the file is read all the same."""
    assert problems(tmp_path, f"\ufeff{HEAD}  kgc:\n") == []


def test_values_are_read_as_they_are_written(tmp_path: Path) -> None:
    """22:00 is a time and not 1320, `no` is text and not false: older YAML rules surprise nobody here."""
    fleet = load_fleet(write(tmp_path, f"{HEAD}  kgc: {{owner: no, window: {{start: 22:00, end: 23:00}}}}\n"))
    assert fleet.databases["kgc"].owner == "no"
    assert str(fleet.databases["kgc"].window) == "22:00 to 23:00 UTC"
