"""The five databases of the demo, each backed up and drilled by the rules of the demo's own fleet file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import MAJORS, tools_of
from bed.demo_drills import PROVEN, demo_driller
from bed.drillers import ORDINARY, OURSELVES
from demo.databases.roster import FLEET


# `make bench ONLY=killed` drills them in the other two ways as well.
@pytest.mark.long
@pytest.mark.parametrize(("major", "who"), [(15, ORDINARY), (18, OURSELVES)], ids=["pg15-ordinary", "pg18-ourselves"])
def test_every_database_of_the_demo_is_proven(
    major: int, who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every check passes, and every question that the demo's fleet file asks gets a good answer."""
    monkeypatch.setenv("PGTEND_PG_BINDIRS", ",".join(f"{one}:{tools_of(one).folder}" for one in MAJORS))
    with demo_driller(major, who, tmp_path) as driller:
        assert driller.drill(*FLEET) == PROVEN
