-- Who approved the rule of a table, and which rule that was.
SELECT source_id, rule_digest, approved_by, approved_at
FROM pgtend_archive.source
WHERE (schema_name, table_name) = (%(schema)s, %(name)s)
