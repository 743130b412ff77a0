-- Drops single looks of months that ended longer ago than the fleet keeps; the days made of them stay.
-- on: ledger
SELECT reporting.forget_readings(%(keep)s::interval, %(actor)s::text) AS partitions
