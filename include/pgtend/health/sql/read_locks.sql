-- Who waits for locks and for how long; for the longest wait also who stands in its way. The server says since when somebody
-- waits from 14 on, before that the start of the statement is the closest thing to it.
WITH waiting AS MATERIALIZED (
    SELECT
        a.pid,
        coalesce(nullif(a.application_name, ''), 'unnamed') || ', process ' || a.pid AS who,
        extract(
            EPOCH FROM clock_timestamp() - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start)
        )::float8 AS waited
    FROM pg_locks AS l
    INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE NOT l.granted AND a.datname = current_database()
),
longest AS MATERIALIZED (
    SELECT * FROM waiting
    ORDER BY waited DESC LIMIT 1
)
SELECT
    (SELECT count(DISTINCT w.pid) FROM waiting AS w)::int AS waiting,
    longest.waited,
    coalesce(longest.who, '') AS who,
    coalesce(
        (
            SELECT string_agg(coalesce(nullif(b.application_name, ''), 'unnamed') || ', process ' || b.pid, '; ')
            FROM pg_stat_activity AS b
            WHERE b.pid = ANY (pg_blocking_pids(longest.pid))
        ), ''
    ) AS blockers
FROM (VALUES (1)) AS one (row)
LEFT JOIN longest ON TRUE
