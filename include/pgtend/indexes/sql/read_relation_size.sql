-- How large an index of the copy is, by its name, and with those of all partitions.
SELECT
    greatest(
        pg_relation_size(c.oid), (SELECT sum(pg_relation_size(p.relid)) FROM pg_partition_tree(c.oid) AS p)
    )::bigint AS size
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
