-- What is broken now, for pages and the command line.
-- on: ledger
SELECT key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed
FROM reporting.open_alerts ORDER BY opened_at, key
