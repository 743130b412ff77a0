-- Constraints that were never checked against the rows that were there before them.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, k.conname::text AS name
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n')
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2, 3
