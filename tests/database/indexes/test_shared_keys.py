"""How large an index becomes whose entries are shared by rows with equal keys, where only some rows may be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.clusters import LiveDatabase, asked
from bed.indexing import SHARED, Ward
from bed.ledgers import ask
from pgtend.indexes.shared_keys import READ_KEY_PARTS, KeyPart

TABLE = SHARED[:4]
# Sixty rows of each key, many of some and one of others, most without a value, and rows for which a condition holds.
KINDS = {"samples_bare", "samples_sixty", "samples_skewed", "samples_ward"}
OVERSHARED = "samples_lower"
ALONE = (
    "CREATE SCHEMA clinic",
    "CREATE TABLE clinic.samples (id int, amount numeric, word text)",
    "CREATE COLLATION clinic.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "CREATE UNIQUE INDEX samples_unique ON clinic.samples (id)",
    "CREATE INDEX samples_carrying ON clinic.samples (id) INCLUDE (amount)",
    "CREATE INDEX samples_amount ON clinic.samples (id, amount)",
    "CREATE INDEX samples_loose ON clinic.samples (word COLLATE clinic.loose)",
    "CREATE INDEX samples_off ON clinic.samples (word) WITH (deduplicate_items = off)",
    "CREATE INDEX samples_hash ON clinic.samples USING hash (word)",
    """CREATE INDEX samples_lower ON clinic.samples (lower(word) COLLATE "C", id DESC)""",
)


def indexes_on(live: LiveDatabase, folder: Path, names: set[str]) -> Ward:
    """Make a table from which two of five rows have gone, and then its indexes, which are as if new."""
    made = [text for text in SHARED if text.startswith("CREATE INDEX") and text.split()[2] in names]
    live.run("CREATE SCHEMA clinic", *TABLE, *made, address=live.owner)
    return Ward(live, folder, live.owner)


def may_read(ward: Ward, percent: int) -> None:
    """Let so much of the table be read for one index."""
    with ward.session() as session:
        size = int(str(ask(session, "SELECT pg_relation_size('clinic.samples')")[0]))
    ward.rules = {**ward.rules, "read_budget": f"{size * percent // 100 // 1024} kB"}


def off_by(ward: Ward) -> dict[str, float]:
    """Tell how far from the truth the size of each index is estimated."""
    found = [one.index for one in ward.plan(only=("clinic.samples",)).decisions]
    return {one.facts.name: abs(one.estimate.size / one.facts.size - 1) for one in found if one.estimate}


def test_a_sample_tells_how_many_rows_of_its_table_share_a_key(database: LiveDatabase, tmp_path: Path) -> None:
    """In a part of a table equal keys share fewer entries than in all of it: the index itself is asked how many."""
    ward = indexes_on(database, tmp_path / "ledger", KINDS)
    may_read(ward, 95)
    found = off_by(ward)
    assert found.keys() == KINDS
    assert {name: error for name, error in found.items() if error > 0.03} == {}


@pytest.mark.pg(">= 18")
def test_what_may_not_be_looked_up_is_owned_up_to(database: LiveDatabase, tmp_path: Path) -> None:
    """Where each row has to be read to know its key, a small budget ends the search, and the doubt is told."""
    ward = indexes_on(database, tmp_path / "ledger", {OVERSHARED})
    may_read(ward, 50)
    estimate = ward.decision(f"clinic.{OVERSHARED}").index.estimate
    assert estimate is not None
    assert estimate.error > 0.03


@pytest.mark.pg(">= 18")
def test_keys_that_cannot_share_an_entry_are_not_looked_up(database: LiveDatabase, tmp_path: Path) -> None:
    """Unique ones, those that carry columns along, equal values that look different, and where it is switched off."""
    database.run(*ALONE, address=database.owner)
    ward = Ward(database, tmp_path / "ledger", database.owner)
    with ward.session() as session:
        for name in ("unique", "carrying", "amount", "loose", "off", "hash"):
            oid = int(session.row(asked(f"SELECT 'clinic.samples_{name}'::regclass::oid::text AS word")).word)
            assert session.rows(READ_KEY_PARTS, {"index": oid}) == [], name
        oid = int(session.row(asked("SELECT 'clinic.samples_lower'::regclass::oid::text AS word")).word)
        assert session.rows(READ_KEY_PARTS, {"index": oid}) == [
            KeyPart(
                name="pgtend_1",
                expression="lower(word)",
                equal='(lower(word)) COLLATE pg_catalog."C" OPERATOR(pg_catalog.=) pgtend_k.pgtend_1',
                absent="(lower(word)) IS NULL",
            ),
            KeyPart(
                name="pgtend_2",
                expression="id",
                equal="(id) OPERATOR(pg_catalog.=) pgtend_k.pgtend_2",
                absent="(id) IS NULL",
            ),
        ]
