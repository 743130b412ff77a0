-- Runs, newest first, a page at a time; names of runs sort by time.
-- on: ledger
SELECT run_id, database, pipeline, actor, run_url, started_at, ended_at, took, outcome, error_code, error_message, hint,
    evidence_rows
FROM reporting.runs
WHERE database = ANY (%(databases)s::text[])
  AND (%(pipeline)s::text = '' OR pipeline = %(pipeline)s::text)
  AND (%(outcome)s::text = '' OR outcome = %(outcome)s::text)
  AND (%(before)s::text = '' OR run_id < %(before)s::text)
ORDER BY run_id DESC LIMIT %(most)s::integer
