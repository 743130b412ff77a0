-- Keeps how the structure of one index was found.
-- on: ledger
INSERT INTO reporting.index_check (
    run_id, database, schema_name, table_name, index_name, depth, verdict, took, error_code
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(index_name)s, %(depth)s, %(verdict)s, %(took)s,
    %(error_code)s
)
