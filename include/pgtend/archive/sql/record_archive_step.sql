-- Keeps what became of one month.
-- on: ledger
INSERT INTO reporting.archive_step (
    run_id, database, schema_name, table_name, month, generation, step, row_count, bytes, checksum, took, detail
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(month)s::date, %(generation)s::int, %(step)s,
    %(row_count)s::bigint, %(bytes)s::bigint, %(checksum)s, %(took)s::interval, %(detail)s
)
