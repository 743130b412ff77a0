"""Client tools are those of the asked version, whatever their folder is called, and never a wrapper."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import tools_of
from pgtend.postgres.tools import ClientTools, ToolMissing

FIFTEEN = tools_of(15).folder


def test_tools_are_found_where_the_environment_says() -> None:
    """The folder of the environment goes before the well-known ones."""
    own = tools_of(18).folder
    found = ClientTools.find(18, {"PGTEND_PG_BINDIRS": f"15:{FIFTEEN},18:{own}"})
    assert found.path("pg_dump") == f"{own}/pg_dump"
    assert found.version_text.startswith("18.")


def test_debian_s_place_is_known() -> None:
    """Nobody has to configure what the distribution installed."""
    assert ClientTools.find(15, {}).folder == Path("/usr/lib/postgresql/15/bin")


def test_a_wrapper_is_never_taken(tmp_path: Path) -> None:
    """Debian's /usr/bin/pg_dump is a script that chooses a version by its own rules."""
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 19.1'\n", encoding="utf-8")
    (tmp_path / "pg_dump").chmod(0o755)
    with pytest.raises(ToolMissing):
        ClientTools.find(19, {"PGTEND_PG_BINDIRS": f"19:{tmp_path}"})


def test_a_folder_that_lies_about_its_version_is_not_taken() -> None:
    """The binary is asked; what the configuration calls it does not count."""
    with pytest.raises(ToolMissing, match="pg_dump of PostgreSQL 19 is not installed"):
        ClientTools.find(19, {"PGTEND_PG_BINDIRS": f"19:{FIFTEEN}"})


def test_missing_tools_are_named_with_the_way_to_get_them() -> None:
    """The hint is the line to run."""
    with pytest.raises(ToolMissing) as caught:
        ClientTools.find(17, {})
    assert "apt install postgresql-client-17" in caught.value.hint
    assert "PGTEND_PG_BINDIRS=17:" in caught.value.hint


def test_a_single_missing_tool_is_named() -> None:
    """A folder with pg_dump may still lack another tool."""
    with pytest.raises(ToolMissing, match="pg_nothing of PostgreSQL 15 is not installed"):
        ClientTools(15, FIFTEEN).path("pg_nothing")


@pytest.mark.parametrize("setting", ["/usr/lib/postgresql/15/bin", "15=/usr/bin", "15:relative/bin"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str) -> None:
    """An entry is never skipped in silence."""
    with pytest.raises(ToolMissing, match="not a major version and a folder"):
        ClientTools.find(15, {"PGTEND_PG_BINDIRS": setting})
