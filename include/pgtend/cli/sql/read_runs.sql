-- The newest runs, of one database or of all, for `pgtend runs`.
-- on: ledger
SELECT run_id, database, pipeline, actor, started_at, took, outcome, error_code, error_message
FROM reporting.runs
WHERE %(database)s::text IS NULL OR database = %(database)s::text
ORDER BY started_at DESC
LIMIT %(limit)s
