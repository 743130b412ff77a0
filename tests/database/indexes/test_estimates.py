"""How large an index would be if new: what was estimated, against what a rebuild then showed."""

from __future__ import annotations

import pytest

from bed.clusters import asked
from bed.indexing import Ward
from pgtend.indexes.memory import Memory, ProvenSize
from pgtend.indexes.model import Method, Reason
from pgtend.indexes.report import Outcome

TAKE_AWAY = 'REVOKE SELECT ON clinic.visits FROM "{role}"'
# Sequential, random, low cardinality with deduplication, partial, expression, inverted.
ALL = (
    "clinic.visits_active",
    "clinic.visits_context",
    "clinic.visits_device",
    "clinic.visits_kind",
    "clinic.visits_lower",
    "clinic.visits_patient_at",
    "clinic.visits_pkey",
)


def test_what_was_estimated_is_what_came_of_it(ward: Ward) -> None:
    """On a churned table every kind of index is predicted to within 3 %, and rebuilt to much less."""
    report = ward.work()
    proved = report.ended(Outcome.PROVED)
    assert sorted(result.name for result in proved) == list(ALL)
    missed = {result.name: result.missed_by for result in proved}
    assert {name: by for name, by in missed.items() if by is None or abs(by) > 0.03} == {}
    assert all((result.size_after or 0) < (result.size_before or 0) * 0.6 for result in proved)


@pytest.mark.pg(">= 18")
def test_a_second_run_finds_nothing_to_do(ward: Ward) -> None:
    """What is lean is left alone, with the reason."""
    ward.work()
    plan = ward.plan()
    assert plan.due == ()
    assert {decision.reason for decision in plan.decisions if decision.name in ALL} == {Reason.LEAN}


def test_a_small_share_of_a_table_is_enough(ward: Ward) -> None:
    """Within a budget of a part of the table the sizes of large indexes are still met to within 3 %."""
    with ward.session() as session:
        size = int(session.row(asked("SELECT pg_relation_size('clinic.visits')::text AS word")).word)
    ward.rules = {**ward.rules, "read_budget": f"{size * 3 // 4096} kB", "smallest": "1 MB"}
    decided = {d.name: d.index.estimate for d in ward.plan().decisions if d.index.estimate is not None}
    ward.rules = {"smallest": "64 kB", "least_gain": "64 kB"}
    truth = {result.name: result.size_after for result in ward.work().ended(Outcome.PROVED)}
    for name in ("clinic.visits_device", "clinic.visits_lower"):
        assert decided[name].method is Method.SAMPLE
        assert decided[name].size == pytest.approx(truth[name], rel=0.03)


def test_a_restored_copy_tells_exactly(ward: Ward) -> None:
    """The size an index had in the last drill is its size if new, and needs no look at production."""
    ward.work("clinic.visits_device", insists=True)
    measured = asked(
        "SELECT format('%%s %%s %%s', pg_relation_size(oid), reltuples::bigint,"
        " encode(sha256(convert_to(pg_get_indexdef(oid), 'UTF8')), 'hex')) AS word"
        " FROM pg_class WHERE oid = 'clinic.visits_device'::regclass"
    )
    with ward.session() as session:
        size, rows, digest = session.row(measured).word.split()
    seen = ProvenSize(
        schema_name="clinic", index_name="visits_device", size=int(size), rows=int(rows), definition_sha256=digest
    )
    proven = {("clinic", "visits_device"): seen}
    ward.live.run("UPDATE clinic.visits SET device = md5(device)", "VACUUM ANALYZE clinic.visits", address=ward.address)
    decision = ward.decision("clinic.visits_device", Memory(proven=proven))
    assert decision.index.estimate is not None
    assert decision.index.estimate.method is Method.DRILL
    report = ward.work("clinic.visits_device", insists=True)
    assert report.results[0].size_after == decision.index.estimate.size


def test_without_the_right_to_read_rows_the_pages_themselves_are_read(ward: Ward) -> None:
    """Where a table may be maintained and not read, pgstattuple tells how full its pages are."""
    tender = ward.live.new_role("tender")
    ward.live.run(
        "CREATE EXTENSION pgstattuple",
        f'GRANT USAGE ON SCHEMA clinic TO "{tender.user}"',
        f'GRANT pg_stat_scan_tables TO "{tender.user}"',
    )
    if ward.live.server.tools.major < 17:
        ward.live.run(f'GRANT "{ward.address.user}" TO "{tender.user}"')
        ward.live.run(TAKE_AWAY.format(role=ward.address.user))
    else:
        ward.live.run(f'GRANT MAINTAIN ON clinic.visits TO "{tender.user}"')
    ward.address = tender
    decision = ward.decision("clinic.visits_device")
    assert decision.index.estimate is not None
    assert decision.index.estimate.method is Method.DENSITY
    assert decision.reason is Reason.SWOLLEN


@pytest.mark.pg(">= 18")
def test_what_nobody_can_estimate_is_not_rebuilt(ward: Ward) -> None:
    """Doubt is no reason to rebuild."""
    ward.live.run(TAKE_AWAY.format(role=ward.address.user))
    assert ward.decision("clinic.visits_device").reason is Reason.UNKNOWN
