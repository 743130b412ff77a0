-- Keeps what was decided for one table, why, and what the server's own counters say came of it.
-- on: ledger
INSERT INTO reporting.table_analysis (
    run_id, database, schema_name, table_name, decision, reason, outcome, took,
    rows_before, rows_after, changed_rows, analyze_count_before, analyze_count_after, proved_at, error_code
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(decision)s, %(reason)s, %(outcome)s, %(took)s,
    %(rows_before)s, %(rows_after)s, %(changed_rows)s, %(analyze_count_before)s, %(analyze_count_after)s,
    %(proved_at)s, %(error_code)s
)
