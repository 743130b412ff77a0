-- All maintenance of one database since a moment, for the picture of its days: runs that would lie on each other in the
-- picture are one mark, and a failed one is never hidden among good ones.
-- on: ledger
SELECT
    pipeline, outcome, min(started_at) AS started_at,
    CASE WHEN bool_and(ended_at IS NOT NULL) THEN max(ended_at) END AS ended_at, count(*)::integer AS runs,
    (array_agg(run_id ORDER BY started_at DESC))[1] AS run_id, (array_agg(run_url ORDER BY started_at DESC))[1] AS run_url,
    (array_agg(error_code ORDER BY started_at DESC))[1] AS error_code
FROM reporting.runs
WHERE database = %(database)s::text AND started_at >= %(since)s::timestamptz AND started_at < %(until)s::timestamptz
GROUP BY pipeline, outcome, date_bin(%(grain)s::interval, started_at, %(since)s::timestamptz)
ORDER BY min(started_at)
