"""Somebody alters what a backup has to read: it is waited for, and what was stored by then is stored once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest
from typing_extensions import override

from bed.backups import KEYS, Depot
from bed.clusters import statement
from pgtend.backup.muster import until_still
from pgtend.backup.verify import verify_backup
from pgtend.kernel.progress import quietly
from pgtend.postgres.errors import TransactionLost


class Told(list[str]):
    """What a backup says; at certain words something else happens, once."""

    def __init__(self, **acts: Callable[[], object]) -> None:
        super().__init__()
        self._acts = acts

    @override
    def append(self, line: str) -> None:
        super().append(line)
        for words in [words for words in self._acts if words.replace("_", " ") in line]:
            self._acts.pop(words)()


def hold(depot: Depot, stack: ExitStack, change: str) -> None:
    """Alter something and commit nothing until the stack is closed."""
    session = stack.enter_context(depot.live.session())
    stack.enter_context(session.transaction())
    session.run(statement(change))


@pytest.mark.parametrize(
    "change",
    [
        "REFRESH MATERIALIZED VIEW clinic.busiest",
        "CREATE OR REPLACE VIEW clinic.recent AS SELECT * FROM clinic.visits LIMIT 1",
    ],
    ids=["refreshed", "replaced"],
)
def test_a_view_that_is_taken_once_all_dumps_have_their_locks_is_waited_for(depot: Depot, change: str) -> None:
    """Nobody locks views: the inventory is kept out of one, when nothing is stored yet, and the backup begins anew."""
    depot.live.run("CREATE MATERIALIZED VIEW clinic.busiest AS SELECT 1 AS n", address=depot.live.owner)
    with ExitStack() as held:
        depot.lines = Told(with_all_locks=lambda: hold(depot, held, change), gave_way=held.close)
        manifest = depot.take()
    assert sum("with all locks" in line for line in depot.lines) == 2
    names = [part.name for part in manifest.parts]
    assert len(names) == len(set(names)) == len(depot.stored()) - 1
    assert verify_backup(depot.vault, manifest, KEYS, quietly).faults == ()


def test_a_table_that_is_held_before_a_backup_begins_is_waited_for(depot: Depot) -> None:
    """Even to ask for its size is to wait for it: that too is given as long as the fleet file says."""
    depot.limits = {**depot.limits, "lock_timeout": "200 ms"}
    with ExitStack() as held:
        hold(depot, held, "TRUNCATE clinic.visits")
        depot.lines = Told(gave_way=held.close)
        depot.take()
    assert "gave way" in depot.lines[0]


def test_what_was_stored_is_not_stored_again_by_another_try() -> None:
    """A standby cancels who reads for too long: the next run takes that backup, under another name."""
    tries: list[int] = []

    def cancelled() -> None:
        tries.append(1)
        raise TransactionLost("canceling statement due to conflict with recovery")

    with pytest.raises(TransactionLost):
        until_still(cancelled, within=timedelta(minutes=1), progress=quietly, is_untouched=lambda: len(tries) < 3)
    assert len(tries) == 3
