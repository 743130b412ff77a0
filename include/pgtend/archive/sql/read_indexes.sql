-- The indexes of a month: a late row reopens one that has them already.
SELECT
    COALESCE(bool_or(i.indisprimary), FALSE) AS has_key,
    COALESCE(bool_or(m.amname = 'brin'), FALSE) AS has_brin,
    pg_total_relation_size(%(relation)s::bigint::oid::regclass) AS size
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_am AS m ON m.oid = c.relam
WHERE i.indrelid = %(relation)s::bigint::oid
