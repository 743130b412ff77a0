-- Foreign keys whose columns lead no index: deleting or changing a row they point to reads the whole table. Of a partitioned table
-- every partition counts, where the columns may have other numbers.
SELECT
    n.nspname::text AS schema,
    t.relname::text AS table_name,
    k.conname::text AS constraint_name,
    c.names AS columns,
    t.relkind = 'p' AS is_partitioned,
    t.oid::bigint AS table_oid,
    p.rows
FROM pg_constraint AS k
INNER JOIN pg_class AS t ON t.oid = k.conrelid AND t.relkind IN ('r', 'p')
INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY key.place) AS names
    FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
    INNER JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = key.number
) AS c
CROSS JOIN LATERAL (
    SELECT
        sum(greatest(l.reltuples, 0))::bigint AS rows,
        bool_or(
            NOT EXISTS (
                SELECT FROM pg_index AS i
                INNER JOIN pg_class AS x ON x.oid = i.indexrelid
                -- Block ranges and inverted indexes find no single row.
                INNER JOIN pg_am AS m ON m.oid = x.relam AND m.amname IN ('btree', 'hash')
                WHERE
                    i.indrelid = l.oid AND i.indisvalid AND i.indpred IS NULL
                    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> ARRAY(
                        SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = l.oid AND a.attname = ANY (c.names)
                    )
            )
        ) AS is_bare,
        bool_and(l.relkind = 'r') AS is_plain
    FROM (
        SELECT t.oid WHERE t.relkind = 'r'
        UNION ALL
        SELECT e.relid FROM pg_partition_tree(t.oid) AS e WHERE t.relkind = 'p' AND e.isleaf
    ) AS part
    INNER JOIN pg_class AS l ON l.oid = part.oid
) AS p
WHERE k.contype = 'f' AND k.conparentid = 0 AND p.is_bare AND p.is_plain
ORDER BY n.nspname, t.relname, k.conname
