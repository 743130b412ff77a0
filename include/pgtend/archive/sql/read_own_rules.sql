-- The foreign keys and checks that a month brought along from its table. As a part of the archive it needs none of them.
SELECT con.conname::text AS name
FROM pg_constraint AS con
WHERE con.conrelid = %(relation)s::bigint::oid AND con.contype IN ('c', 'f') AND con.conparentid = 0 AND con.coninhcount = 0
ORDER BY con.contype, con.conname
