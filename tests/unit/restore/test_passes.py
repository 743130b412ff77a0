"""In which passes the last section of an archive runs."""

from __future__ import annotations

from pgtend.restore.selection import Pass, passes, without_links

TRIGGER = "3500; 2620 16420 TRIGGER public visit audit kgc_owner"
INDEX = "3400; 1259 16400 INDEX public reading_1_value_idx kgc_owner"
KEY = "3401; 2606 16401 CONSTRAINT public reading_1 reading_1_pkey kgc_owner"
ATTACH = "3402; 0 0 INDEX ATTACH public reading_1_pkey kgc_owner"
FOREIGN = "3403; 2606 16402 FK CONSTRAINT public reading reading_device_fkey kgc_owner"
ALL = [INDEX, KEY, ATTACH, FOREIGN, TRIGGER]


def test_without_partitions_everything_runs_side_by_side() -> None:
    """pg_restore itself knows what must wait for what."""
    assert passes(ALL, 4, has_partitions=False) == (Pass(ALL, 4),)


def test_indexes_of_partitions_are_built_side_by_side_and_attached_one_by_one() -> None:
    """Two that are attached at the same moment would leave the index of the whole invalid."""
    assert passes(ALL, 4, has_partitions=True) == (
        Pass([INDEX, KEY], 4),
        Pass([ATTACH], 1),
        Pass([FOREIGN, TRIGGER], 4),
    )


def test_what_an_index_is_made_of_comes_with_the_indexes() -> None:
    """A view of rows grouped by a primary key cannot be made before that key, and has indexes of its own."""
    view = "3404; 1259 16403 MATERIALIZED VIEW public latest kgc_owner"
    rows = "3405; 0 16403 MATERIALIZED VIEW DATA public latest kgc_owner"
    rule = "3406; 2618 16404 RULE public grouped _RETURN kgc_owner"
    assert passes([KEY, view, INDEX, rule, ATTACH, rows], 4, has_partitions=True) == (
        Pass([KEY, view, INDEX, rule], 4),
        Pass([ATTACH], 1),
        Pass([rows], 4),
    )


def test_rows_of_some_tables_come_without_what_ties_them_to_others() -> None:
    """A foreign key to rows that are not there cannot hold."""
    assert without_links(ALL) == [INDEX, KEY, ATTACH, TRIGGER]
