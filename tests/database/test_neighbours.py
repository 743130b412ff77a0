"""A database that was made beside ours and is in no fleet is told, until somebody says that it is left alone."""

from __future__ import annotations

import pytest

from bed.clusters import LiveDatabase, new_database
from pgtend.cli.findings import State
from pgtend.cli.neighbours import READ_DATABASE_NAMES, Neighbours

pytestmark = pytest.mark.pg(">= 18")


def test_a_database_in_no_fleet_is_named_until_it_is_left_alone(database: LiveDatabase) -> None:
    """Our own are never named, nor those that nobody has to back up, nor the templates."""
    with new_database(database.server) as beside, database.session() as session:
        neighbours = Neighbours()
        neighbours.meet("clinic", session)
        mine = {database.name, beside.name}
        others = {one.name for one in session.rows(READ_DATABASE_NAMES)} - mine
        [found] = neighbours.strangers(others)
        assert (found.about, found.what, found.state) == ("fleet", "other databases", State.NOTE)
        assert found.said == f"nobody backs up {beside.name}, on the server of clinic"
        assert found.hint == "Add them to the databases of the fleet file, or name them in its `left_alone`."
        assert list(neighbours.strangers({*others, beside.name})) == []
        with beside.session() as there:
            neighbours.meet("ward", there)
        assert list(neighbours.strangers(others)) == []
