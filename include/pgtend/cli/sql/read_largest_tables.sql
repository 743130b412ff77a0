-- The largest tables, a partitioned one with all its partitions, and which of their columns may tell how old a row is.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    sizes.rows,
    sizes.size,
    coalesce((
        SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE
            a.attrelid = c.oid
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
    ), '{}') AS time_columns,
    coalesce((
        SELECT array_agg(DISTINCT a.attname::text)
        FROM pg_index AS i
        INNER JOIN pg_class AS x ON x.oid = i.indexrelid
        INNER JOIN pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
        INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    ), '{}') AS indexed_columns
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT
        sum(CASE WHEN part.reltuples > 0 THEN part.reltuples ELSE pg_stat_get_live_tuples(part.oid) END)::bigint AS rows,
        -- A table that was never vacuumed says zero pages; only then is the file asked, which may wait for a lock.
        sum(CASE
            WHEN part.relpages > 0 THEN part.relpages::bigint * current_setting('block_size')::int
            ELSE coalesce(pg_relation_size(part.oid), 0)
        END)::bigint AS size
    FROM pg_class AS part
    WHERE
        part.oid = c.oid AND c.relkind <> 'p'
        OR c.relkind = 'p' AND part.relkind = 'r' AND part.oid IN (SELECT tree.relid FROM pg_partition_tree(c.oid) AS tree)
) AS sizes
WHERE
    c.relkind IN ('r', 'p', 'm')
    AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND sizes.size > 0
ORDER BY sizes.size DESC
LIMIT 10
