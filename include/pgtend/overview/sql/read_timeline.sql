-- All maintenance of one database since a moment, for the picture of its days.
-- on: ledger
SELECT run_id, pipeline, run_url, started_at, ended_at, outcome, error_code
FROM reporting.runs
WHERE database = %(database)s::text AND started_at >= %(since)s::timestamptz AND started_at < %(until)s::timestamptz
ORDER BY started_at DESC LIMIT %(most)s::integer
