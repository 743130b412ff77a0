-- What the server itself says about tables, read before and after ANALYZE: a command that says OK has often only warned
-- and skipped, the counters have not.
SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    pg_stat_get_analyze_count(c.oid) AS analyzed,
    pg_stat_get_last_analyze_time(c.oid) AS analyzed_at,
    c.reltuples::bigint AS rows
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(tables)s::oid[])
