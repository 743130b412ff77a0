-- Foreign keys whose columns lead no index: deleting or changing a row they point to reads the whole table.
SELECT
    n.nspname::text AS schema,
    t.relname::text AS table_name,
    k.conname::text AS constraint_name,
    (
        SELECT array_agg(a.attname::text ORDER BY key.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
        INNER JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = key.number
    ) AS columns,
    greatest(t.reltuples, 0)::bigint AS rows
FROM pg_constraint AS k
INNER JOIN pg_class AS t ON t.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE
    k.contype = 'f' AND k.conparentid = 0 AND t.relkind = 'r'
    AND NOT EXISTS (
        SELECT FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indexrelid
        -- Block ranges and inverted indexes find no single row.
        INNER JOIN pg_am AS m ON m.oid = c.relam AND m.amname IN ('btree', 'hash')
        WHERE
            i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
            AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
    )
ORDER BY n.nspname, t.relname, k.conname
