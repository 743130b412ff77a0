-- The sizes of tables that were filled this minute, without a dead row.
SELECT
    n.nspname::text AS schema_name,
    t.relname::text AS table_name,
    encode(sha256(convert_to((
        SELECT COALESCE(string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum), '')
        FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    ), 'UTF8')), 'hex') AS definition_sha256,
    pg_relation_size(t.oid) AS size,
    CASE WHEN t.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(t.reltoastrelid) END AS toast_size,
    GREATEST(t.reltuples, 0)::bigint AS rows
FROM pg_class AS t
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE t.relkind = 'r' AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
ORDER BY 1, 2
