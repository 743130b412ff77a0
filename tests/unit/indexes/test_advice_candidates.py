"""Which indexes a plan asks for: kinds, order of keys, and what is never advised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pgtend.indexes.advice_candidates import candidates_of
from pgtend.indexes.advice_model import Statement, TableColumns
from pgtend.statements.plans import Json

READINGS = TableColumns(
    schema="public",
    name="readings",
    rows=100_000,
    size=20 * 1024 * 1024,
    only_grows=True,
    types={
        "id": "bigint",
        "patient": "integer",
        "kind": "character varying(40)",
        "value": "double precision",
        "note": "text",
        "closed": "boolean",
        "tags": "text[]",
        "facts": "jsonb",
        "at": "timestamp with time zone",
    },
    correlations={"at": 1.0, "id": 1.0},
)


def shapes(condition: str, text: str = "", *, table: TableColumns = READINGS, sort: str = "") -> set[str]:
    """Name the candidates of a scan with this condition."""
    scan: dict[str, Json] = {"Node Type": "Seq Scan", "Relation Name": table.name, "Filter": condition}
    tree: Mapping[str, Json] = {"Node Type": "Sort", "Sort Key": [sort], "Plans": [scan]} if sort else scan
    statement = Statement(text=text or "SELECT * FROM readings", role="", calls=10, exec_ms=10.0)
    return {one.shape for one in candidates_of(statement, tree, {table.name: table})}


BRIN = "USING brin (at) WITH (pages_per_range='32', autosummarize='on')"


@pytest.mark.parametrize(
    ("condition", "sort", "expected"),
    [
        ("(patient = $1)", "", "USING btree (patient)"),
        ("((at > $2) AND (patient = $1))", "", "USING btree (patient, at)"),
        ("(patient = $1)", "at DESC", "USING btree (patient, at DESC)"),
        ("((NOT closed) AND (patient = $1))", "", "USING btree (patient) WHERE NOT closed"),
        ("((note IS NULL) AND (patient = $1))", "", "USING btree (patient) WHERE note IS NULL"),
        ("(lower((note)::text) = $1)", "", "USING btree (lower(note))"),
        ("(facts @> $1)", "", "USING gin (facts jsonb_path_ops)"),
        ("(facts ? $1)", "", "USING gin (facts)"),
        ("(tags @> $1)", "", "USING gin (tags)"),
        ("(tags && $1)", "", "USING gin (tags)"),
        ("(at > $1)", "", BRIN),
    ],
)
def test_each_kind_of_condition_asks_for_its_kind_of_index(condition: str, sort: str, expected: str) -> None:
    """What is equal comes first, then a range or the order; documents and arrays want an inverted index."""
    assert expected in shapes(condition, sort=sort)


@pytest.mark.parametrize(
    "change",
    [{"only_grows": False}, {"size": 1024}, {"correlations": {"at": 0.5}}, {"correlations": {}}],
)
def test_block_ranges_are_for_large_tables_that_only_grow_in_order(change: dict[str, object]) -> None:
    """Anywhere else a range of pages is no span of time, and the index tells nothing apart."""
    table = replace(READINGS, **change)  # type: ignore[arg-type]
    assert BRIN not in shapes("(at > $1)", table=table)
    assert "USING btree (at)" in shapes("(at > $1)", table=table)


def test_a_number_that_rises_is_no_moment() -> None:
    """An identity in order has its own index already."""
    assert not any("brin" in shape for shape in shapes("(id > $1)"))


@pytest.mark.parametrize(
    ("text", "included"),
    [
        ("SELECT value, at FROM readings WHERE patient = $1", " INCLUDE (value, at)"),
        ("SELECT * FROM readings WHERE patient = $1", ""),
        ("SELECT note FROM readings WHERE patient = $1", ""),
        ("SELECT id, kind, value, at FROM readings WHERE patient = $1", ""),
        ("UPDATE readings SET value = $2 WHERE patient = $1", ""),
    ],
)
def test_a_few_narrow_columns_may_be_included(text: str, included: str) -> None:
    """Then the statement need not visit the table; long texts and many columns would only make a second table."""
    found = {shape for shape in shapes("(patient = $1)", text) if "INCLUDE" in shape}
    assert found == ({f"USING btree (patient){included}"} if included else set())


def test_a_pattern_asks_for_nothing() -> None:
    """Whether a pattern begins with a wildcard is not known, so no index can be said to help."""
    assert shapes("(note ~~ $1)") == set()


def test_a_small_table_needs_no_index() -> None:
    """It is read in a moment."""
    assert shapes("(patient = $1)", table=replace(READINGS, rows=999)) == set()
