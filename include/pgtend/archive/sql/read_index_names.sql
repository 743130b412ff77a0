-- The indexes of a table by name: they move into another schema together with it, where each of their names must be free.
SELECT x.relname::text AS name
FROM pg_index AS i
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE i.indrelid = %(relation)s::bigint::oid
ORDER BY x.relname
