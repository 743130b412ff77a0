-- The newest run of every pipeline, and when one ended well: found by hopping from name to name in the index, because
-- the view of newest runs reads every run there ever was.
-- on: ledger
WITH RECURSIVE hop AS (
    (SELECT database, pipeline FROM reporting.runs ORDER BY database, pipeline LIMIT 1)
    UNION ALL
    SELECT onward.database, onward.pipeline
    FROM hop
    CROSS JOIN LATERAL (
        SELECT further.database, further.pipeline FROM reporting.runs AS further
        WHERE (further.database, further.pipeline) > (hop.database, hop.pipeline)
        ORDER BY further.database, further.pipeline LIMIT 1
    ) AS onward
)
SELECT
    hop.database,
    hop.pipeline,
    newest.outcome,
    newest.started_at,
    extract(EPOCH FROM newest.took)::float8 AS took,
    good.ended_at AS good_at
FROM hop
CROSS JOIN LATERAL (
    SELECT run.outcome, run.started_at, run.took FROM reporting.runs AS run
    WHERE run.database = hop.database AND run.pipeline = hop.pipeline
    ORDER BY run.started_at DESC LIMIT 1
) AS newest
LEFT JOIN LATERAL (
    SELECT run.ended_at FROM reporting.runs AS run
    WHERE run.database = hop.database AND run.pipeline = hop.pipeline AND run.outcome = 'succeeded'
    ORDER BY run.started_at DESC LIMIT 1
) AS good ON true
ORDER BY hop.database, hop.pipeline
