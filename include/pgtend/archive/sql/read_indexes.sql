-- The indexes of a month: a late row reopens one that has them already, and gives a packed one its key back.
SELECT
    COALESCE(bool_or(i.indisprimary), FALSE) AS has_key,
    COALESCE(bool_or(m.amname = 'brin'), FALSE) AS has_brin,
    NOT COALESCE(bool_or(i.indisprimary), FALSE)
        AND COALESCE(obj_description(%(relation)s::bigint::oid, 'pg_class') LIKE 'Packed by pgtend%%', FALSE) AS is_packed,
    pg_total_relation_size(%(relation)s::bigint::oid::regclass) AS size
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_am AS m ON m.oid = c.relam
WHERE i.indrelid = %(relation)s::bigint::oid
