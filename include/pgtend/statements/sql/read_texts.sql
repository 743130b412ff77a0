-- Texts that are not known yet. What is cut off here is a literal in all likelihood, and is taken for one.
SELECT
    seen.userid::bigint AS role_oid,
    coalesce({toplevel}, true) AS is_toplevel,
    seen.queryid,
    coalesce((SELECT rolname FROM pg_roles WHERE oid = seen.userid), '')::text AS role,
    left(seen.query, 100000) AS query
FROM {schema}.pg_stat_statements(true) AS seen
WHERE seen.queryid = ANY (%(queryids)s) AND seen.query IS NOT NULL
  AND seen.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
