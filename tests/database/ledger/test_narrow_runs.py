"""A run that was asked for some tables or indexes says nothing about the others."""

from __future__ import annotations

from datetime import datetime

from bed.ledgers import KGC, tell
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.history import last_good_run
from pgtend.ledger.model import Subject
from pgtend.ledger.narrow import note_narrow
from pgtend.overview.care import Care, care
from pgtend.overview.pipelines import pipelines
from pgtend.postgres.session import Session

JUDGED = """
INSERT INTO reporting.index_rebuild (run_id, database, schema_name, table_name, index_name, definition, decision,
    reason, outcome, method, size_before, size_predicted, size_after, rows, table_size, took, yielded)
VALUES ('{run}', 'kgc', 'public', 'visits', '{index}', '', 'rebuild', '', '', '', 100, 40, {after}, 1, 1, NULL, 0)
"""


def reindex(ledger: DatabaseLedger, session: Session, sizes: dict[str, str], *only: str) -> datetime:
    """Judge indexes; each gets a size where it was rebuilt, and NULL where it waits."""
    with ledger.run(Subject("kgc", "reindex", "test")) as run:
        note_narrow(run, "kgc", only)
        for index, after in sizes.items():
            tell(session, JUDGED.format(run=run.run_id, index=index, after=after))
    return utc_now()


def seen(session: Session) -> Care:
    """Read what the first page shows."""
    return care(session, ["kgc"], utc_now())["kgc"]


def test_what_a_narrow_run_left_out_still_waits(ledger: DatabaseLedger, session: Session) -> None:
    """Nothing seemed to wait after somebody had one index rebuilt by hand, until the next night that judged all."""
    whole = reindex(ledger, session, {"a": "NULL", "b": "NULL", "c": "38"})
    assert (seen(session).waiting, seen(session).bloat) == (2, 120)
    reindex(ledger, session, {"a": "40"}, "public.a")
    after = seen(session)
    assert (after.waiting, after.bloat) == (1, 60)
    assert after.judged_at is not None
    assert after.judged_at < whole


def test_a_run_of_everything_that_found_nothing_ends_what_waited(ledger: DatabaseLedger, session: Session) -> None:
    """An index that shrank, or that somebody dropped, was shown as waiting for as long as no other one was judged."""
    reindex(ledger, session, {"a": "NULL"})
    whole = reindex(ledger, session, {})
    found = seen(session)
    assert found.waiting == 0
    assert found.judged_at is not None
    assert found.judged_at < whole
    reindex(ledger, session, {"a": "NULL"}, "public.a")
    assert seen(session).waiting == 1


def test_a_narrow_run_keeps_no_promise(ledger: DatabaseLedger, session: Session) -> None:
    """The watchdog and the page took one table that was analyzed by hand for a night of all of them."""
    with ledger.run(KGC) as run:
        note_narrow(run, KGC.database, ["public.visits"])
    assert last_good_run(session, KGC.database, KGC.pipeline) == ()
    (row,) = pipelines(session, [KGC.database], utc_now())
    assert (row.outcome, row.good_at) == ("succeeded", None)
    with ledger.run(KGC) as run:
        note_narrow(run, KGC.database, [])
    (good,) = last_good_run(session, KGC.database, KGC.pipeline)
    assert good.run_id == run.run_id
