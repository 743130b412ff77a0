-- A row of this table and a column of it that may be empty and is not, preferably of the tables with few rows.
SELECT a.attname::text AS name
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text)) AND a.attnum > 0
  AND NOT a.attisdropped AND NOT a.attnotnull AND a.attgenerated = ''
ORDER BY a.attnum
