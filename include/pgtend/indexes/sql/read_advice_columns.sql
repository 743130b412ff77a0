-- The columns of all tables people made, to tell which of them a condition of a plan speaks of, and how each table is filled.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    greatest(c.reltuples, 0)::bigint AS rows,
    c.relpages::bigint * current_setting('block_size')::int AS size,
    -- A restored copy has counted insertions alone, and nobody asks it.
    (pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)) * 100
    <= greatest(pg_stat_get_tuples_inserted(c.oid), c.reltuples::bigint) AS only_grows,
    s.correlation::float8 AS correlation,
    c.oid::bigint AS table_oid
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relpersistence = 'p'
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname, a.attnum
