"""What the fleet file promises: when the result of each pipeline must be there."""

from __future__ import annotations

from datetime import timedelta

from pgtend.fleet.model import Fleet
from pgtend.watchdog.promises import promise_of_audit, promise_of_backup, promises_in_ledger

PIPELINES = ("analyze", "health", "index_advice", "index_usage", "reindex", "restore_drill", "statements")


def fleet(**rules: object) -> Fleet:
    """Give a fleet of one database."""
    return Fleet.model_validate({"fleet": "clinic", "timezone": "Africa/Lagos", "databases": {"kgc": rules}})


def test_each_promise_is_that_of_the_fleet_file() -> None:
    """Its schedule, its zone, and its deadline with a grace of a quarter of an hour."""
    made = fleet(backup={"schedule": "15 2 * * *", "deadline": "3 h"})
    backup = promise_of_backup(made, made.databases["kgc"])
    assert (backup.key, backup.schedule, backup.zone) == ("kgc.backup", "15 2 * * *", "Africa/Lagos")
    assert backup.within == timedelta(hours=3, minutes=15)
    assert promise_of_audit(made).within == timedelta(hours=1)
    drill = next(one for one in promises_in_ledger(made, made.databases["kgc"]) if one.key == "kgc.restore_drill")
    assert (drill.what, drill.schedule) == ("a drill that proves a backup of kgc", "30 4 * * 0")


def test_what_is_switched_off_promises_nothing() -> None:
    """Nobody is told that something is overdue which nobody wanted."""
    on = fleet()
    promised = sorted(one.key for one in promises_in_ledger(on, on.databases["kgc"]))
    assert promised == [f"kgc.{name}" for name in PIPELINES]
    rules = ("analyze", "health", "indexes", "drill", "statements")
    off = fleet(**{name: {"enabled": False} for name in rules})
    assert list(promises_in_ledger(off, off.databases["kgc"])) == []


def test_old_rows_are_only_expected_to_leave_where_a_rule_says_so() -> None:
    """A database without archive rules has no such pipeline, and nobody waits for it."""
    made = fleet(archive={"tables": {"public.visits": {"by": "at"}}})
    assert "kgc.archive" in [one.key for one in promises_in_ledger(made, made.databases["kgc"])]
