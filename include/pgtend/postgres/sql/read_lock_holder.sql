-- Names who holds an advisory lock. A key of 64 bits is stored as two halves with objsubid 1.
SELECT
    l.pid,
    COALESCE(a.application_name, '') AS application,
    COALESCE(a.state, 'unknown') AS state,
    COALESCE(now() - a.backend_start, interval '0') AS since
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory'
  AND l.granted
  AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = %(key)s
LIMIT 1
