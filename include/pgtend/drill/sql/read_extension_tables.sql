-- Tables that belong to extensions.
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_depend AS d
JOIN pg_class AS c ON c.oid = d.objid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
  AND c.relkind IN ('r', 'p')
