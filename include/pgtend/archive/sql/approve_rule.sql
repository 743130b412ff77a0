-- Writes down who approved the rule of a table; from now on it runs without being asked for.
INSERT INTO pgtend_archive.source AS s (schema_name, table_name, rule_digest, approved_by)
VALUES (%(schema)s, %(name)s, %(rule_digest)s, %(approved_by)s)
ON CONFLICT (schema_name, table_name) DO UPDATE SET
    rule_digest = excluded.rule_digest, approved_by = excluded.approved_by, approved_at = clock_timestamp()
RETURNING source_id, rule_digest, approved_by, approved_at
