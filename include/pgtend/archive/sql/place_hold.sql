-- Lets a month stay as it is, for a while or until somebody lifts it.
INSERT INTO pgtend_archive.hold (source_id, month, is_legal, reason, placed_by, until)
SELECT s.source_id, %(month)s::date, %(is_legal)s::boolean, %(reason)s, %(placed_by)s, %(until)s::timestamptz
FROM pgtend_archive.source AS s
WHERE (s.schema_name, s.table_name) = (%(schema)s, %(name)s)
RETURNING hold_id
