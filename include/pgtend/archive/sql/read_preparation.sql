-- How far a table came on its way to becoming partitioned: its wider key, and the limit below which all of its rows lie.
SELECT
    COALESCE((
        SELECT i.indisvalid FROM pg_index AS i INNER JOIN pg_class AS x ON x.oid = i.indexrelid
        WHERE i.indrelid = %(relation)s::bigint::oid AND x.relname = %(key)s::text
    ), FALSE) AS has_key,
    EXISTS (
        SELECT FROM pg_index AS i INNER JOIN pg_class AS x ON x.oid = i.indexrelid
        WHERE i.indrelid = %(relation)s::bigint::oid AND x.relname = %(key)s::text AND NOT i.indisvalid
    ) AS has_broken_key,
    COALESCE((
        SELECT con.conname::text FROM pg_constraint AS con
        WHERE con.conrelid = %(relation)s::bigint::oid AND con.conname LIKE 'pgtend_before_%%' AND con.contype = 'c'
    ), '') AS limited_by
