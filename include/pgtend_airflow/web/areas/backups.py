"""The backups of a database: which there are, why each is kept, and how sure we are of it."""

from __future__ import annotations

from pgtend.overview.backups import BackupRow, backups
from pgtend_airflow.web.books import Reading
from pgtend_airflow.web.door import DatabasePath, Door
from pgtend_airflow.web.standing import Role

DOOR = Door("backups")


@DOOR.get("/databases/{database}/backups", Role.VIEWER, "Every backup of one database, newest first")
def list_backups(database: DatabasePath, session: Reading) -> list[BackupRow]:
    """Read them as they were when each vault was looked through last; a backup in two vaults comes twice."""
    return backups(session, database)
