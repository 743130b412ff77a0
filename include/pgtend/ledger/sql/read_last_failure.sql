-- Says why a run failed to whoever hears of the failure only, because the task was killed before it could tell.
-- on: ledger
SELECT outcome, error_code, error_message, hint
FROM reporting.runs
WHERE database = %(database)s::text AND pipeline = %(pipeline)s::text AND run_url = %(run_url)s::text
    AND error_code <> ''
ORDER BY started_at DESC
LIMIT 1
