-- Says what is still safe when a pipeline broke: the newest run of all there is to do that ended well.
-- on: ledger
SELECT run.run_id, run.ended_at, run.evidence_rows
FROM reporting.runs AS run
WHERE run.database = %(database)s::text AND run.pipeline = %(pipeline)s::text AND run.outcome = 'succeeded'
  AND NOT EXISTS (SELECT FROM reporting.narrow_runs AS narrow WHERE narrow.run_id = run.run_id)
ORDER BY run.started_at DESC
LIMIT 1
