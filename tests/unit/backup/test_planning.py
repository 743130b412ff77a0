"""How a database is cut into parts and how closely its tables are looked at, decided without touching anything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgtend.backup.advisories import Version
from pgtend.backup.facts import Relation
from pgtend.backup.model import plan_looks, plan_shards
from pgtend.backup.record import Coverage, Role
from pgtend.kernel.sizes import Bytes

MB = 1024 * 1024


def table(
    name: str, size: int, *, key: tuple[str, ...] = ("id",), kind: str = "table", extension: bool = False
) -> Relation:
    """Describe a table of a size."""
    return Relation(
        oid=sum(name.encode()),
        schema="public",
        name=name,
        kind=kind,
        sql_name=f"public.{name}",
        sql_schema="public",
        is_partition=False,
        dealt_by=None,
        is_unlogged=False,
        belongs_to_extension=extension,
        size=size,
        may_use_schema=True,
        may_select=True,
        is_filtered=False,
        columns=["id", "note"],
        types=["int4", "text"],
        required=[True, False],
        key=list(key),
    )


def test_large_tables_come_first_and_the_rest_leaves_them_out() -> None:
    """No row is dumped twice, and none is forgotten."""
    relations = [table("small", MB), table("huge", 900 * MB), table("big", 300 * MB), table("seq", 0, kind="sequence")]
    shards = plan_shards(relations, Bytes(256 * MB), 6)
    assert [(shard.role, [one.name for one in shard.tables]) for shard in shards] == [
        (Role.PRE_DATA, []),
        (Role.TABLE, ["huge"]),
        (Role.TABLE, ["big"]),
        (Role.REST, []),
        (Role.POST_DATA, []),
    ]
    assert [one.name for one in shards[3].without] == ["huge", "big"]
    assert len({shard.name for shard in shards}) == 5


def test_more_large_tables_than_connections_share_parts_of_one_size() -> None:
    """Four tables in two dumps: the largest with the smallest, so that both end at about the same time."""
    relations = [table(name, size * MB) for name, size in (("a", 900), ("b", 800), ("c", 500), ("d", 300))]
    shards = plan_shards(relations, Bytes(256 * MB), 2)
    assert [[one.name for one in shard.tables] for shard in shards if shard.role is Role.TABLE] == [
        ["a", "d"],
        ["b", "c"],
    ]
    assert [one.name for one in shards[-2].without] == ["a", "b", "c", "d"]


def test_without_a_connection_to_spare_everything_is_the_rest() -> None:
    """No row is lost because a table that is large has no dump of its own."""
    shards = plan_shards([table("huge", 900 * MB)], Bytes(256 * MB), 0)
    assert [(shard.role, shard.without) for shard in shards if shard.section == "data"] == [(Role.REST, ())]


def test_a_table_of_an_extension_stays_with_the_rest() -> None:
    """Only a dump of everything knows which of its rows the extension wants dumped."""
    shards = plan_shards([table("spatial", 900 * MB, extension=True)], Bytes(256 * MB), 6)
    assert [shard.role for shard in shards] == [Role.PRE_DATA, Role.REST, Role.POST_DATA]


def test_the_budget_goes_to_small_tables_first() -> None:
    """At 150 MB a second, ten seconds hash 1,500 MB; what is larger is sampled by its key, or counted without one."""
    relations = [
        table("small", 150 * MB),
        table("middle", 1200 * MB),
        table("huge", 7500 * MB),
        table("keyless", 9000 * MB, key=()),
        table("spatial", MB, extension=True),
    ]
    looks = {look.table.name: (look.coverage, look.one_in) for look in plan_looks(relations, timedelta(seconds=10))}
    assert looks == {
        "small": (Coverage.FULL, 1),
        "middle": (Coverage.FULL, 1),
        "huge": (Coverage.SAMPLE, 64),
        "keyless": (Coverage.ROWS, 1),
        "spatial": (Coverage.NONE, 1),
    }


@pytest.mark.parametrize(
    ("text", "unsafe", "unsound"),
    [
        ("12.22", True, 3),
        ("13.21", True, 3),
        ("13.22", False, 3),
        ("14.18", True, 3),
        ("14.19", False, 3),
        ("14.23", False, 2),
        ("14.24", False, 1),
        ("14.25", False, 0),
        ("15.13", True, 3),
        ("15.14", False, 3),
        ("15.18", False, 2),
        ("15.19", False, 1),
        ("15.20", False, 0),
        ("16.9", True, 3),
        ("16.10", False, 3),
        ("16.15", False, 1),
        ("16.16", False, 0),
        ("17.5", True, 3),
        ("17.6", False, 3),
        ("17.11", False, 1),
        ("17.12", False, 0),
        ("18.0", False, 3),
        ("18.4", False, 2),
        ("18.6", False, 1),
        ("18.7", False, 0),
        ("19.0", False, 0),
    ],
)
def test_versions_with_known_defects_are_known(text: str, *, unsafe: bool, unsound: int) -> None:
    """Old tools are refused, and those with later advisories are mentioned, each by its number."""
    version = Version.parse(text)
    assert (version.is_before_safe_restores, len(version.advisories)) == (unsafe, unsound)
