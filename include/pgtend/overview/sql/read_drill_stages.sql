-- The steps of one drill with their times.
-- on: ledger
SELECT stage, started_at, took, bytes, rows
FROM reporting.drill_stages
WHERE database = %(database)s::text AND run_id = %(run_id)s::text AND at >= %(since)s::timestamptz
ORDER BY started_at, stage
