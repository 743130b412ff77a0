"""What the first page says of a night in which everything was slow."""

from __future__ import annotations

from datetime import date

from bed.clusters import Clusters
from bed.ledgers import new_ledger
from pgtend.kernel.times import utc_now
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.model import Subject
from pgtend.overview.model import Light
from pgtend.overview.statements import judged_nights, statements_cell
from pgtend.statements.judging import RECORD_FINDING, RECORD_JUDGEMENT, FindingRow, JudgementRow
from pgtend.statements.model import Kind

NIGHT = date(2026, 11, 20)


def test_a_night_in_which_everything_was_slow_is_not_as_usual(clusters: Clusters) -> None:
    """The shift of all is taken out before statements are compared, so none of them is slower than usual."""
    found = FindingRow(
        database="kgc",
        replica="",
        day=NIGHT,
        kind=Kind.WHOLE_SERVER.value,
        fingerprint="",
        role="",
        calls=0,
        mean_ms=0.0,
        usual_ms=None,
        ratio=2.1,
        z=None,
        extra_ms=60_000.0,
        share=1.0,
        cause="",
        evidence="{}",
        first_bad_day=None,
        nights=0,
        events="[]",
        is_alert=True,
    )
    judged = JudgementRow(database="kgc", replica="", day=NIGHT, judged=40, nights=14, night_shift=2.1, remark="")
    with new_ledger(clusters.server(18)) as kept, kept.session() as session:
        with DatabaseLedger(session).run(Subject("kgc", "statements", "test")) as run:
            run.add(RECORD_FINDING, [found])
            run.add(RECORD_JUDGEMENT, [judged])
        cell = statements_cell("kgc", judged_nights(session, ["kgc"], utc_now())["kgc"], utc_now())
    assert (cell.light, cell.says) == (Light.BAD, "all slower")
