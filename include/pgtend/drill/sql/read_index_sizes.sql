-- The sizes of indexes that were built this minute, without a hole: what a rebuild in production would come to.
SELECT
    n.nspname::text AS schema_name,
    t.relname::text AS table_name,
    i.relname::text AS index_name,
    encode(sha256(convert_to(pg_get_indexdef(i.oid), 'UTF8')), 'hex') AS definition_sha256,
    pg_relation_size(i.oid) AS size,
    -- An inverted index that was just built says how many entries it has, and not how many rows.
    GREATEST(CASE WHEN t.reltuples > 0 THEN LEAST(i.reltuples, t.reltuples) ELSE i.reltuples END, 0)::bigint AS rows
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE i.relkind = 'i' AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
ORDER BY 1, 2, 3
