-- Where an extension lives: our search_path does not lead there.
SELECT n.nspname::text AS schema
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = %(extension)s
