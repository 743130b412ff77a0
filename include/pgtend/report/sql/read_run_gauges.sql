-- The newest run of every pipeline, and when one ended well.
-- on: ledger
SELECT
    r.database,
    r.pipeline,
    r.outcome,
    r.started_at,
    extract(EPOCH FROM r.took)::float8 AS took,
    (
        SELECT max(g.ended_at) FROM reporting.runs AS g
        WHERE g.database = r.database AND g.pipeline = r.pipeline AND g.outcome = 'succeeded'
    ) AS good_at
FROM reporting.last_runs AS r
ORDER BY r.database, r.pipeline
