-- What the vault has of a table, month by month; what only the vault has is `alone`.
SELECT c.source_id, c.month, c.gen, c.key, c.rows, c.checksum::text AS checksum, c.state
FROM pgtend_archive.cold AS c
INNER JOIN pgtend_archive.source AS s USING (source_id)
WHERE (s.schema_name, s.table_name) = (%(schema)s, %(name)s)
ORDER BY c.month, c.gen
