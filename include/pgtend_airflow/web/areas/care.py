"""What could be smaller: decisions and advice on indexes, and the months that left or wait to leave."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from pgtend.kernel.times import utc_now
from pgtend.overview import care
from pgtend.overview.care import REMEMBERED, Advice, ArchivedMonth, ArchivePlan, Rebuild
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import DatabasePath, Door, Most
from pgtend_airflow.web.standing import Role

DOOR = Door("indexes and archives")


class ArchiveView(BaseModel):
    """What waits to leave, and where each month that left stands."""

    plans: list[ArchivePlan]
    months: list[ArchivedMonth]


@DOOR.get("/databases/{database}/indexes", Role.VIEWER, "What was decided for each index, and why")
def decisions(
    database: DatabasePath,
    session: Reading,
    decided: Annotated[str, Query(pattern="^(rebuild|skip)?$", description="Only these; empty: all.")] = "rebuild",
    most: Most = 100,
) -> list[Rebuild]:
    """Read each decision with its reason, and for a rebuild the size before, as predicted, and after."""
    return care.rebuilds(session, database, utc_now() - REMEMBERED, decided=decided, most=most)


@DOOR.get("/databases/{database}/indexes/advice", Role.RESEARCHER, "Changes of indexes, proved on a copy")
def advice(database: DatabasePath, session: Reading, most: Most = 100) -> list[Advice]:
    """Read what could be changed, with the statements that do it and take it back, and what was proved about it."""
    return care.advices(session, database, utc_now() - 3 * REMEMBERED, most=most)


@DOOR.get("/databases/{database}/archive", Role.VIEWER, "Archived months, and what waits to leave")
def archive(database: DatabasePath, session: Reading) -> ArchiveView:
    """Read what the newest run planned, and the newest step of every month."""
    return ArchiveView(
        plans=care.archive_plans(session, database, utc_now() - REMEMBERED),
        months=care.archive_months(session, database),
    )
