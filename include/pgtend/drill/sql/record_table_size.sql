-- Keeps the size of a table that was just filled: what it would take without a dead row.
-- on: ledger
INSERT INTO reporting.table_exact_size (
    run_id, database, schema_name, table_name, definition_sha256, bytes, toast_bytes, rows
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(definition_sha256)s, %(bytes)s, %(toast_bytes)s, %(rows)s
)
