-- Drops the partitions of months that ended longer ago than the fleet keeps.
-- on: ledger
SELECT reporting.forget(%(keep)s::interval, %(actor)s::text) AS partitions
