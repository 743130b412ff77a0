-- Tells those who make tables and indexes smaller what was moved out of where.
-- on: ledger
INSERT INTO reporting.archive_reclaim (run_id, database, schema_name, table_name, removed_rows, heap_bytes, index_bytes)
VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(removed_rows)s::bigint, %(heap_bytes)s::bigint,
    %(index_bytes)s::bigint
)
