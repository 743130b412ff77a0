"""Retention may run at any moment, also at one in which a backup is half in the vault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from typing_extensions import override

from bed.backups import KEYS, Depot
from pgtend.backup.expiry import Expired, Holding, expire
from pgtend.backup.verify import verify_backup
from pgtend.fleet.retention import RetentionRules
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now

pytestmark = pytest.mark.pg(">= 18")


class Listening(list[str]):
    """The lines of a backup, and something to do at the first that says that an object is stored."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    @override
    def append(self, line: str, /) -> None:
        """Take a line."""
        super().append(line)
        if "stored " in line:
            act, self._act = self._act, lambda: None
            act()


def test_what_is_being_taken_is_never_taken_for_remains(depot: Depot) -> None:
    """A backup that runs for weeks loses no object to a retention that keeps one day, and nothing else goes either."""
    earlier = [depot.take().backup_id for _ in range(3)]
    rules = RetentionRules(daily=1, weekly=0, monthly=0, yearly=0, at_least=1, proven=1, young=timedelta(hours=1))
    holding = Holding(vault=depot.vault, fleet="tests", database="clinic", rules=rules)
    done: list[Expired] = []
    depot.lines = Listening(lambda: done.append(expire(holding, quietly, clock=lambda: utc_now() + timedelta(days=30))))
    manifest = depot.take()
    assert [(one.removed, one.leftovers, one.unfinished) for one in done] == [((), (), ())]
    doubt = f"Nothing is removed: the newest attempt, {manifest.backup_id}, was not finished."
    assert done[0].plan.doubts == (doubt,)
    assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()
    kept = {entry.backup_id for entry in holding.catalogue(utc_now()).entries}
    assert kept == {*earlier, manifest.backup_id}
    gone = expire(holding, quietly, clock=lambda: utc_now() + timedelta(days=30)).removed
    assert len(gone) == 2
    assert set(gone) < set(earlier), "with the backup complete, the same rules let go of earlier ones"
