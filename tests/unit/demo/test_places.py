"""Where the demo keeps its state, and whom it lets in."""

from __future__ import annotations

import getpass
import pwd
from pathlib import Path

import pytest

from demo.runtime import places as demo_places
from demo.runtime.places import DemoProblem, Places, check_room, may_enter, write_private
from demo.runtime.secret_words import SecretWords


def test_a_nearly_full_disk_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a database is worse than none."""
    monkeypatch.setattr(demo_places, "ROOM_FOR_A_DEMO", 2**60)
    with pytest.raises(DemoProblem, match="MB are free on the disk that holds"):
        check_room(tmp_path)


def test_a_closed_folder_is_seen_as_closed(tmp_path: Path) -> None:
    """The server's user cannot walk through /root, and the demo has to know it before the server does."""
    nobody = pwd.getpwnam("nobody")
    tmp_path.chmod(0o700)
    assert not may_enter(tmp_path, nobody)
    tmp_path.chmod(0o711)
    assert may_enter(tmp_path, nobody)
    assert may_enter(tmp_path, pwd.getpwnam(getpass.getuser()))


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    """A second start knows the passwords of the first, and nobody else reads them."""
    state = Places(tmp_path, tmp_path)
    first = SecretWords(state)
    role = first.password_of("kgc_app")
    assert first.file.stat().st_mode & 0o777 == 0o600
    assert dict(SecretWords(state)) == dict(first)
    assert SecretWords(state).password_of("kgc_app") == role


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    """An interrupted write leaves the old content, and its remains do not stop the next write."""
    file = tmp_path / "secrets.json"
    write_private(file, "old")
    (tmp_path / ".secrets.json.half").write_text("half")
    write_private(file, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
    assert file.read_text() == "new"
