-- The same from the server itself, since its counters were reset, where no night has been read yet.
-- extension: pg_stat_statements
SELECT
    s.query::text AS query,
    coalesce(pg_get_userbyid(s.userid)::text, '') AS role,
    s.calls::bigint AS calls,
    s.total_exec_time::float8 AS exec_ms
FROM {schema}.pg_stat_statements AS s
WHERE
    s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND s.userid <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user) AND s.query IS NOT NULL
ORDER BY s.total_exec_time DESC
LIMIT %(rows)s
