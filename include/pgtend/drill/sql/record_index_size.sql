-- Keeps the size of an index that was just built: what a rebuild in production would come to.
-- on: ledger
INSERT INTO reporting.index_exact_size (
    run_id, database, schema_name, table_name, index_name, definition_sha256, bytes, rows
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(index_name)s, %(definition_sha256)s, %(bytes)s, %(rows)s
)
