"""Sealed months become small and stay what they are: asked, erased, reopened, and equal by hash."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bed.archiving import METRICS, Attic, own
from bed.clusters import asked
from pgtend.archive.erasing import erase
from pgtend.archive.erasures import Person, keep_erasure
from pgtend.archive.errors import SealBroken
from pgtend.archive.model import State

ALL = "public.health_metrics_all"
RULE = {"by": "date", "tier": "packed", "person": "user_id"}
MONTH = "pgtend_archive.public__health_metrics_2025_09"
SHAPE = f"""
SELECT string_agg(m.amname || ' ' || a.attname, ', ' ORDER BY a.attname) FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = '{MONTH}'::regclass
"""


@pytest.fixture
def packed(attic: Attic) -> Attic:
    """Give a clinic whose old months are packed."""
    attic.tables = {METRICS: RULE}
    return attic


def test_a_packed_month_holds_the_same_rows_in_less(packed: Attic) -> None:
    """Sorted by person, found by two tiny indexes, and read as before."""
    before = packed.content(METRICS)
    report = packed.run()
    assert (report.packed, report.is_finished) == (report.sealed, True)
    assert packed.content(ALL) == before
    assert packed.ask(SHAPE) == "brin date, brin user_id"
    sorted_by = f"SELECT user_id AS now, lag(user_id, 1, 0) OVER () AS before FROM {MONTH}"
    assert packed.ask(f"SELECT bool_and(now >= before) FROM ({sorted_by}) AS rows") == "true"
    assert packed.run().packed == 0
    said = [line for line in packed.lines if "packed, " in line]
    assert len(said) == report.packed


def test_columns_lie_beside_each_other_without_gaps(packed: Attic) -> None:
    """A byte before eight costs eight: each row of this log is a quarter smaller afterwards, and equal."""
    packed.live.run(
        "CREATE TABLE public.log (a bool NOT NULL, at timestamptz NOT NULL, b bool, n int8, c int2, m int8, j json)",
        "INSERT INTO public.log SELECT true, timestamptz '2025-09-01' + x * interval '1 minute', NULL, x, 1, x, NULL"
        " FROM generate_series(1, 5000) AS x",
        "UPDATE public.log SET b = true",
        "VACUUM FULL public.log",
    )
    own(packed.live, "public.log")
    packed.tables = {"public.log": {"by": "at", "tier": "packed"}}
    before, size = packed.content("public.log"), int(packed.ask("SELECT pg_relation_size('public.log')"))
    packed.run()
    assert packed.content("public.log_all") == before
    after = int(packed.ask("SELECT pg_relation_size('pgtend_archive.public__log_2025_09')"))
    assert after < size * 0.8


@pytest.mark.pg(">= 18")
def test_a_late_row_unpacks_its_month_and_it_is_packed_again(packed: Attic) -> None:
    """It gets its key for the seal, which proves again that no row is in it twice."""
    packed.run()
    packed.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )
    before = packed.content(ALL)
    report = packed.run()
    assert (report.rows, report.sealed, report.packed) == (1, 1, 1)
    assert packed.content(ALL) == before
    assert packed.ask(SHAPE) == "brin date, brin user_id"


@pytest.mark.pg(">= 18")
def test_a_person_is_erased_from_packed_months(packed: Attic) -> None:
    """They are ordinary rows, and the ledger agrees afterwards."""
    packed.run()
    erased = Person(SecretStr("7")).digested((METRICS,), "ana")
    with packed.vault() as vault:
        keep_erasure(vault, "clinic", "kgc", erased)
    with packed.desk() as desk:
        erase(desk, erased)
    assert packed.ask(f"SELECT count(*) FROM {ALL} WHERE user_id = 7") == "0"
    packed.tables = {METRICS: {**RULE, "tier": "cold"}}
    assert packed.run().proven == 4


@pytest.mark.pg(">= 18")
def test_a_month_that_changed_behind_our_back_is_not_packed(packed: Attic) -> None:
    """What is written again is compared with the ledger first; the month stays as it is."""
    packed.tables = {METRICS: {"by": "date"}}
    packed.run()
    packed.live.run(f"UPDATE {MONTH} SET diet_score = 1 WHERE id = (SELECT min(id) FROM {MONTH})")
    packed.tables = {METRICS: RULE}
    with pytest.raises(SealBroken, match="2025-09 is not what was moved"):
        packed.run()
    assert packed.unit("2025-09").stands is State.SEALED
    assert packed.ask(SHAPE) == "brin date, btree id"


@pytest.mark.pg(">= 18")
def test_a_reader_of_the_archive_is_not_kept_waiting(packed: Attic) -> None:
    """Somebody reads it for long: its months are packed by the next run."""
    packed.tables = {METRICS: {"by": "date"}}
    packed.run()
    packed.tables = {METRICS: RULE}
    with packed.live.session() as reader, reader.transaction():
        reader.rows(asked("SELECT count(*)::text AS word FROM public.health_metrics_archive"))
        assert packed.run().packed == 0
    assert packed.run().packed == 4
    left = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'packed%%'"
    assert packed.ask(left) == "0"
