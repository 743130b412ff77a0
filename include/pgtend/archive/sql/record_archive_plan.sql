-- Keeps what a run found to do with one table.
-- on: ledger
INSERT INTO reporting.archive_plan (
    run_id, database, schema_name, table_name, mode, cutoff, months, planned_rows, wal_bytes, disk_bytes, approved_by, refusals
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(mode)s, %(cutoff)s::date, %(months)s::int,
    %(planned_rows)s::bigint, %(wal_bytes)s::bigint, %(disk_bytes)s::bigint, %(approved_by)s, %(refusals)s
)
