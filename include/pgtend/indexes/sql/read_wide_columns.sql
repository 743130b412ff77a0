-- The columns of a table whose values may lie outside of it.
SELECT
    a.attname::text AS name
FROM pg_attribute AS a
WHERE a.attrelid = %(table)s::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attlen = -1 AND a.attstorage IN ('x', 'e')
ORDER BY a.attnum
