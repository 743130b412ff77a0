-- Whether we may empty every table that is no extension's: only then can rows be loaded that nobody has to look after.
SELECT COALESCE(bool_and(has_table_privilege(oid, 'TRUNCATE')), true) AS every_table
FROM pg_class
WHERE relkind = 'r'
  AND oid >= 16384
  AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
  )
