-- The months of one table that nobody may touch now.
SELECT h.month, h.is_legal, h.reason, h.placed_by, h.placed_at, h.until
FROM pgtend_archive.hold AS h
INNER JOIN pgtend_archive.source AS s USING (source_id)
WHERE (s.schema_name, s.table_name) = (%(schema)s, %(name)s) AND (h.until IS NULL OR h.until > clock_timestamp())
ORDER BY h.month, h.placed_at
