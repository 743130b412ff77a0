"""SQL files are read as typed queries, and those that break the rules are refused."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgtend.sqlfiles import BadStatement, command, query


@dataclass(frozen=True)
class Answer:
    """What the sample query returns."""

    answer: int


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an importable room with an sql folder."""
    folder = tmp_path / "sample_room"
    (folder / "sql").mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("sample_room", None)
    return folder / "sql"


def test_a_query_knows_its_reason_and_its_rows(room: Path) -> None:
    """The first comment is the purpose, the dataclass is what rows become."""
    (room / "read_answer.sql").write_text("-- The answer, because\n-- somebody asked.\nSELECT 42 AS answer\n")
    read_answer = query("sample_room", "read_answer", Answer)
    assert (read_answer.name, read_answer.row, read_answer.on, read_answer.needs) == (
        "read_answer",
        Answer,
        "source",
        0,
    )
    assert read_answer.purpose == "The answer, because somebody asked."


def test_directives_say_where_a_statement_runs_and_what_it_needs(room: Path) -> None:
    """They are read from the comment and are no part of the reason."""
    (room / "append.sql").write_text("-- Appends.\n-- on: ledger\n-- needs: >= 17\nSELECT 1\n")
    append = command("sample_room", "append")
    assert (append.on, append.needs, append.purpose) == ("ledger", 17, "Appends.")


def test_a_statement_without_a_reason_is_refused(room: Path) -> None:
    """Nobody dares to change SQL that does not say why it exists."""
    (room / "mystery.sql").write_text("SELECT 1\n")
    with pytest.raises(BadStatement, match="does not say why it exists"):
        command("sample_room", "mystery")
