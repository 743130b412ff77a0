-- Says whether a run that Airflow calls a success did its work: somebody may have marked its tasks as successful. What a
-- drill lends its copy to proves nothing about the backup, and may fail.
-- on: ledger
SELECT count(*) FILTER (WHERE pipeline = %(pipeline)s::text)::int AS proofs,
    count(*) FILTER (WHERE outcome <> 'succeeded')::int AS doubts
FROM (
    SELECT DISTINCT ON (pipeline) pipeline, outcome
    FROM reporting.runs
    WHERE database = %(database)s::text AND run_url = %(run_url)s::text AND pipeline <> 'index_proof'
    ORDER BY pipeline, started_at DESC
) AS newest
