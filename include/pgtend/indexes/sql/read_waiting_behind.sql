-- Who waits for a lock behind a rebuild: read from pg_locks, which hides nothing from anybody. Autovacuum (no user) may wait.
SELECT
    a.pid,
    a.application_name::text AS application
FROM (SELECT DISTINCT l.pid FROM pg_locks AS l WHERE NOT l.granted AND l.pid <> ALL (%(ours)s::int[])) AS waiting
INNER JOIN pg_stat_activity AS a ON a.pid = waiting.pid
WHERE a.usesysid IS NOT NULL AND %(worker)s::int = ANY (pg_blocking_pids(waiting.pid))
