-- What the analyze pipeline decided for one table, newest first.
-- on: ledger
SELECT at, decision, reason, outcome, took, rows_before, rows_after, changed_rows, proved_at, error_code, run_id
FROM reporting.analyses
WHERE database = %(database)s::text AND schema_name = %(schema)s::text AND table_name = %(table)s::text
  AND at >= %(since)s::timestamptz
ORDER BY at DESC LIMIT %(most)s::integer
