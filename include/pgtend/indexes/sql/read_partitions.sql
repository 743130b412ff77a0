-- The partitions of a table, those above before those below, to give each an index of its own.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    an.nspname::text AS above_schema,
    a.relname::text AS above_table,
    p.isleaf AS is_leaf
FROM pg_partition_tree(%(table)s::oid) AS p
INNER JOIN pg_class AS c ON c.oid = p.relid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_class AS a ON a.oid = p.parentrelid
INNER JOIN pg_namespace AS an ON an.oid = a.relnamespace
WHERE p.level > 0
ORDER BY p.level, n.nspname, c.relname
