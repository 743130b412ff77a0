-- The newest run of every pipeline, when one ended well, and how often it failed in the last week.
-- on: ledger
SELECT
    r.database,
    r.pipeline,
    r.outcome,
    r.started_at,
    r.took,
    r.error_code,
    r.error_message,
    r.run_url,
    (
        SELECT max(g.ended_at) FROM reporting.runs AS g
        WHERE g.database = r.database AND g.pipeline = r.pipeline AND g.outcome = 'succeeded'
    ) AS good_at,
    (
        SELECT count(*) FROM reporting.runs AS f
        WHERE
            f.database = r.database
            AND f.pipeline = r.pipeline
            AND f.outcome IN ('failed', 'interrupted', 'vanished')
            AND f.started_at >= %(since)s::timestamptz
    )::int AS failures
FROM reporting.last_runs AS r
WHERE r.database = ANY(%(databases)s::text[])
ORDER BY r.database, r.pipeline
