-- Keeps how the rows of a table are spread over its pages, for the next drill.
-- on: ledger
INSERT INTO reporting.table_occupancy (
    run_id, database, schema_name, table_name, pages, firsts, rows_on_pages
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(pages)s, %(firsts)s::bigint[], %(rows_on_pages)s::smallint[]
)
