"""How near the estimates of index sizes come: small and large tables, and inverted indexes of every class."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bed.clusters import LiveDatabase, new_database, tools_of
from bed.drilled import drilled
from bed.indexing import FILL, INVERTED, MAKE, SHARED, Ward
from bench.disks import SETTINGS
from bench.figures import Section, Table, prose
from pgtend.indexes.estimate import estimate_new_size, read_true_sizes
from pgtend.indexes.memory import Memory
from pgtend.indexes.model import Estimate
from pgtend.indexes.usage import collect_indexes
from pgtend.postgres.throwaway import ThrowawayServer

MAJORS = tuple(int(major) for major in os.environ.get("MAJORS", "15,18").split(","))
LARGE = int(os.environ.get("LARGE", "2000000"))
"""As many as give enough pages of a partial index in a share of the table."""
SHARING = int(os.environ.get("SHARING", "1000000"))
NOTES = tuple(int(rows) for rows in os.environ.get("NOTES", "30000,120000").split(","))
"""Small indexes and larger ones: with 300,000 the errors were the same."""
PARTS = os.environ.get("PARTS", "large shared inverted").split()
TICKET = (
    "ALTER TABLE clinic.visits ADD COLUMN ticket uuid DEFAULT gen_random_uuid()",
    "CREATE INDEX visits_ticket ON clinic.visits (ticket)",
)
KINDS: Mapping[str, str] = {
    "clinic.visits_pkey": "keys in sequence",
    "clinic.visits_ticket": "random keys",
    "clinic.visits_kind": "eight values, deduplicated",
    "clinic.visits_device": "text",
    "clinic.visits_patient_at": "two columns",
    "clinic.visits_active": "partial",
    "clinic.visits_lower": "expression",
    "clinic.visits_context": "GIN",
}
CLASSES: Mapping[str, str] = {
    "clinic.notes_facts": "documents (jsonb_ops)",
    "clinic.notes_facts_path": "documents (jsonb_path_ops)",
    "clinic.notes_marks": "arrays of numbers",
    "clinic.notes_words": "arrays of text",
    "clinic.notes_trigrams": "trigrams (gin_trgm_ops)",
    "clinic.notes_tokens": "words (tsvector)",
}
ALIKE: Mapping[str, str] = {
    "clinic.samples_few": "500 keys",
    "clinic.samples_sixty": "60 rows of each",
    "clinic.samples_pairs": "two rows of each",
    "clinic.samples_skewed": "many of some, one of others",
    "clinic.samples_beside": "equal keys beside each other",
    "clinic.samples_mostly": "four of five unique",
    "clinic.samples_bare": "most without a value",
    "clinic.samples_word": "text",
    "clinic.samples_lower": "an expression and a number",
    "clinic.samples_shift": "two columns, one often without",
    "clinic.samples_ward": "partial",
}
SLOW = "GIN"
"""To churn in a large table, beside all others; the second table has its own."""
A_SHARE = 4
"""Of the table, the part that may be read for one estimate: what production would allow of a large table."""
COLUMNS = ("server, index", "bloated", "if new", "a share", "all of it", "restored copy")


@dataclass(frozen=True, slots=True)
class Guess:
    """What was estimated of one index, by each way."""

    shared: Estimate | None
    whole: Estimate | None
    restored: Estimate | None


def measure() -> Section:
    """Estimate churned tables, and rebuild them as a run would."""
    large: list[tuple[str, ...]] = []
    shared: list[tuple[str, ...]] = []
    inverted: list[tuple[str, ...]] = []
    for major in MAJORS:
        with ThrowawayServer(tools=tools_of(major), settings=SETTINGS, listens_on_tcp=True) as server:
            large += estimates_of_kinds(server, LARGE, without=SLOW) if "large" in PARTS else ()
            shared += _estimates_of_sharing(server) if "shared" in PARTS else ()
            for rows in NOTES if "inverted" in PARTS else ():
                inverted += _estimates_of_classes(server, rows)
    return Section(
        title="Sizes of indexes",
        measured=prose(f"""
            As in the chapter on indexes, with {LARGE:,} rows; {SHARING:,} rows with keys that repeat in many ways, of
            which two of five were deleted; and {" and ".join(f"{rows:,}" for rows in NOTES)} rows of documents, arrays,
            words and trigrams under six inverted indexes, which a drill builds with its rows spread as on a quarter of
            the pages. The truth is what `pgtend reindex` itself then came to.
        """),
        tables=(Table(COLUMNS, tuple(large)), Table(COLUMNS, tuple(shared)), Table(COLUMNS, tuple(inverted))),
    )


def estimates_of_kinds(server: ThrowawayServer, rows: int, *, without: str = "") -> list[tuple[str, ...]]:
    """Estimate and rebuild one index of each kind on a churned table of so many rows."""
    fill = [text.replace("40000", f"{rows}") for text in FILL]
    make = [text for text in (*MAKE, *TICKET) if f"USING {without.lower()} " not in text]
    indexes = [text for text in make if text.startswith("CREATE INDEX")]
    # Nothing that is measured depends on it whether the log is written, and the first rows are indexed at once.
    tables = [text.replace("CREATE TABLE", "CREATE UNLOGGED TABLE") for text in make if text not in indexes]
    with new_database(server) as live:
        live.run(*tables, fill[0], *indexes, *fill[1:], address=live.owner)
        return _estimates(live, server, {name: said for name, said in KINDS.items() if said != without})


def _estimates_of_sharing(server: ThrowawayServer) -> list[tuple[str, ...]]:
    fill = [text.replace("300000", f"{SHARING}") for text in SHARED]
    with new_database(server) as live:
        live.run("CREATE SCHEMA clinic", *fill, address=live.owner)
        return _estimates(live, server, ALIKE)


def _estimates_of_classes(server: ThrowawayServer, rows: int) -> list[tuple[str, ...]]:
    fill = [text.replace("6000)", f"{rows})") for text in INVERTED]
    with new_database(server) as live:
        live.run("CREATE EXTENSION pg_trgm SCHEMA public")
        live.run("CREATE SCHEMA clinic", *fill, address=live.owner)
        return _estimates(live, server, CLASSES)


def _estimates(live: LiveDatabase, server: ThrowawayServer, named: Mapping[str, str]) -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        ward = Ward(live, Path(folder) / "ledger", live.owner)
        ward.limits = {"lock_timeout": "5 s", "statement_timeout": "10 min"}
        guesses = _guesses(ward, server, tuple(named))
        report = ward.work(*named, insists=True)
    done = {one.name: one for one in report.results}
    return [
        (
            f"PostgreSQL {server.tools.major}, {said}",
            f"{(done[name].size_before or 0) / 1e6:.1f} MB",
            f"{(done[name].size_after or 0) / 1e6:.1f} MB",
            *(_error(one, done[name].size_after or 1) for one in _ways(guesses[name])),
        )
        for name, said in named.items()
    ]


def _ways(guess: Guess) -> tuple[Estimate | None, ...]:
    return guess.shared, guess.whole, guess.restored


def _error(estimate: Estimate | None, truth: int) -> str:
    if estimate is None:
        return "none"
    return f"{(estimate.size / truth - 1) * 100:+.2f} % ({estimate.method})"


def _guesses(ward: Ward, server: ThrowawayServer, names: Sequence[str]) -> dict[str, Guess]:
    restored = drilled(ward, server, one_in=A_SHARE)
    guesses: dict[str, Guess] = {}
    with ward.session() as session:
        found = {one.full_name: one for one in collect_indexes(session, "").indexes if one.full_name in names}
        true = read_true_sizes(session, list(found.values()))
        for name in names:
            index = found[name]
            size = true[index.oid]
            ask = partial(estimate_new_size, session, index, size, build_memory=ward.database.indexes.memory)
            guesses[name] = Guess(
                ask(Memory(), read_budget=size.table_size // A_SHARE),
                ask(Memory(), read_budget=2 * size.table_size),
                ask(restored, read_budget=size.table_size // A_SHARE),
            )
    return guesses
