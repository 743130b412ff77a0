"""The five databases of the demo, each backed up and drilled by the rules of the demo's own fleet file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import MAJORS, tools_of
from bed.demo_drills import PROVEN, demo_driller
from bed.drillers import ORDINARY
from demo.databases.roster import FLEET


@pytest.mark.long
def test_every_database_of_the_demo_is_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check passes, and every question gets a good answer, on the newest version and as an ordinary user.

    The demo itself drills them on the oldest version as ourselves; `make bench ONLY=killed` does it in every way.
    """
    monkeypatch.setenv("PGTEND_PG_BINDIRS", ",".join(f"{one}:{tools_of(one).folder}" for one in MAJORS))
    with demo_driller(18, ORDINARY, tmp_path) as driller:
        assert driller.drill(*FLEET) == PROVEN
