-- The columns of all tables people made, to tell which of them a condition of a plan speaks of.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    greatest(c.reltuples, 0)::bigint AS rows,
    c.oid::bigint AS table_oid
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relpersistence = 'p'
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname, a.attnum
