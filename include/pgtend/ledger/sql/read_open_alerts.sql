-- What is broken now, for pages and the command line.
-- on: ledger
SELECT key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed,
    concerns
FROM reporting.alerts WHERE recovered_at IS NULL ORDER BY opened_at, key
