-- Says what is still safe when a pipeline broke: the newest run that ended well.
-- on: ledger
SELECT run_id, ended_at, evidence_rows
FROM reporting.runs
WHERE database = %(database)s::text AND pipeline = %(pipeline)s::text AND outcome = 'succeeded'
ORDER BY started_at DESC
LIMIT 1
