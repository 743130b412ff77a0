-- Where each archived month stands: its newest step.
-- on: ledger
SELECT schema_name, table_name, month, step, row_count, bytes, at, run_id
FROM (
    SELECT DISTINCT ON (schema_name, table_name, month) *
    FROM reporting.archive_steps
    WHERE database = %(database)s::text AND month IS NOT NULL
    ORDER BY schema_name, table_name, month, at DESC
) AS newest
ORDER BY month DESC, schema_name, table_name LIMIT %(most)s::integer
