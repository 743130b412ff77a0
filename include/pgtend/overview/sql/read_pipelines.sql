-- The newest run of each pipeline of each database, and when one ended well: found by hopping from name to name in the
-- index, because the view of newest runs reads every run there ever was.
-- on: ledger
WITH RECURSIVE hop AS (
    SELECT wanted.database, first.pipeline
    FROM unnest(%(databases)s::text[]) AS wanted (database)
    CROSS JOIN LATERAL (
        SELECT run.pipeline FROM reporting.runs AS run
        WHERE run.database = wanted.database AND run.started_at > %(since)s::timestamptz
        ORDER BY run.pipeline LIMIT 1
    ) AS first
    UNION ALL
    SELECT hop.database, onward.pipeline
    FROM hop
    CROSS JOIN LATERAL (
        SELECT further.pipeline FROM reporting.runs AS further
        WHERE further.database = hop.database AND further.pipeline > hop.pipeline
          AND further.started_at > %(since)s::timestamptz
        ORDER BY further.pipeline LIMIT 1
    ) AS onward
)
SELECT
    hop.database, hop.pipeline, newest.run_id, newest.run_url, newest.outcome, newest.started_at, newest.ended_at,
    newest.error_code, newest.error_message, newest.hint, good.ended_at AS good_at
FROM hop
CROSS JOIN LATERAL (
    SELECT run.run_id, run.run_url, run.outcome, run.started_at, run.ended_at, run.error_code, run.error_message,
        run.hint
    FROM reporting.runs AS run
    WHERE run.database = hop.database AND run.pipeline = hop.pipeline
      AND run.started_at > %(since)s::timestamptz
    ORDER BY run.started_at DESC LIMIT 1
) AS newest
LEFT JOIN LATERAL (
    SELECT run.ended_at FROM reporting.runs AS run
    WHERE run.database = hop.database AND run.pipeline = hop.pipeline AND run.outcome = 'succeeded'
      AND run.started_at > %(since)s::timestamptz
      AND NOT EXISTS (SELECT FROM reporting.narrow_runs AS narrow WHERE narrow.run_id = run.run_id)
    ORDER BY run.started_at DESC LIMIT 1
) AS good ON true
ORDER BY hop.database, hop.pipeline
