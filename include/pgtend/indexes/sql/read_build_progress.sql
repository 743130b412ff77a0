-- How far a build is, and whom it waits for. Removing an index shows no progress: that it waits is seen in pg_locks.
SELECT
    coalesce(p.phase, 'waiting for other sessions') AS phase,
    coalesce(
        CASE
            WHEN p.tuples_total > 0 THEN 100.0 * p.tuples_done / p.tuples_total
            WHEN p.blocks_total > 0 THEN 100.0 * p.blocks_done / p.blocks_total
        END, 0
    )::float8 AS percent,
    coalesce(a.pid, 0)::int AS locker,
    coalesce(a.application_name::text, '') AS locker_application
FROM (SELECT %(worker)s::int AS pid) AS worker
LEFT JOIN pg_stat_progress_create_index AS p ON p.pid = worker.pid
LEFT JOIN pg_stat_activity AS a ON a.pid = coalesce(nullif(p.current_locker_pid, 0), (pg_blocking_pids(worker.pid))[1])
WHERE p.pid IS NOT NULL OR EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = worker.pid AND NOT l.granted)
