-- The tables that really hold the rows: the table itself, or all its partitions. `low` and `high` are the bounds where a
-- partition of the first level has a range of one column, and `is_pending` tells of a detach that never ended.
SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    quote_ident(pg_get_userbyid(c.relowner)) AS sql_owner,
    pg_has_role(c.relowner, 'USAGE') AS acts_as_owner,
    pg_relation_size(c.oid) AS size,
    pg_total_relation_size(c.oid) - pg_relation_size(c.oid) AS index_size,
    pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks,
    COALESCE(i.inhdetachpending, FALSE) AS is_pending,
    COALESCE(i.inhparent = %(relation)s::bigint::oid, FALSE) AS is_first_level,
    COALESCE(substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$^FOR VALUES FROM \('([^']*)'\)$re$), '') AS low,
    COALESCE(substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$TO \('([^']*)'\)$$re$), '') AS high
FROM (
    SELECT %(relation)s::bigint::oid AS oid
    UNION
    SELECT t.relid FROM pg_partition_tree(%(relation)s::bigint::oid::regclass) AS t
    UNION
    SELECT p.inhrelid FROM pg_inherits AS p
    WHERE p.inhparent = %(relation)s::bigint::oid AND p.inhdetachpending
) AS tree
INNER JOIN pg_class AS c ON c.oid = tree.oid AND c.relkind = 'r'
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
ORDER BY low, n.nspname, c.relname
