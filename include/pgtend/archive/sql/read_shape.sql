-- What decides which values of a row leave, and what a deleted row takes along: the columns of a table that holds rows, and the
-- foreign keys that point at it or at the whole that it is a part of. Asked under a lock of the table, it stays so.
SELECT
    ARRAY(
        SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute AS a
        WHERE a.attrelid = %(leaf)s::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attname COLLATE "C"
    ) AS columns,
    ARRAY(
        SELECT con.conname::text
        FROM pg_constraint AS con
        WHERE con.contype = 'f' AND con.conparentid = 0 AND con.confrelid IN (
            SELECT %(relation)s::bigint::oid
            UNION
            SELECT t.relid FROM pg_partition_tree(%(relation)s::bigint::oid::regclass) AS t
        )
    ) AS foreign_keys
