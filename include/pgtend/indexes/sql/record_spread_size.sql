-- Keeps the size of an inverted index that was built on rows spread as in production.
-- on: ledger
INSERT INTO reporting.index_spread_size (
    run_id, database, schema_name, table_name, index_name, definition_sha256, bytes, rows, pages
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(index_name)s, %(definition_sha256)s, %(bytes)s, %(rows)s,
    %(pages)s
)
