"""A drill that is killed leaves no server and no walls, and the next one removes its folders; whoever drills."""

from __future__ import annotations

import random
from collections.abc import Generator

import pytest
import yaml

from bed.drillers import ORDINARY, OURSELVES, Driller
from bed.drilling import Ground
from pgtend.drill.stages import Stage

MOMENTS = [stage for stage in Stage if stage.is_recovery]


@pytest.fixture(params=[OURSELVES, ORDINARY])
def driller(sound: Ground, request: pytest.FixtureRequest) -> Generator[Driller]:
    """Give somebody a sound backup to drill."""
    fleet = yaml.safe_dump(sound.described)
    with Driller.hired(request.param, fleet=fleet, vault=sound.stage.folder / "vault", keys=sound.stage.keys) as hired:
        yield hired


@pytest.mark.pg(">= 18")
def test_a_killed_drill_leaves_nothing(driller: Driller) -> None:
    """SIGKILL among the rows and at a random moment ends every process; the next drill sweeps, and passes."""
    driller.kill_at("subject", "data ...", 0)
    moment = random.choice(MOMENTS)  # noqa: S311 - any moment will do, and a seed brings it back
    driller.kill_at("subject", f"{moment.value} ...", random.uniform(0, 0.2))  # noqa: S311 - same
    assert driller.drill("subject") == ["subject PASS NAMESPACES"]
    assert list(driller.scratch.iterdir()) == []
