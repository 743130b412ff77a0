-- Keeps what was decided for one index, why, and what came of it.
-- on: ledger
INSERT INTO reporting.index_rebuild (
    run_id, database, schema_name, table_name, index_name, definition, decision, reason, outcome, method, size_before,
    size_predicted, size_after, rows, table_size, seconds_predicted, took, wal, yielded, cost_before, cost_after, error_code
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(index_name)s, %(definition)s, %(decision)s, %(reason)s,
    %(outcome)s, %(method)s, %(size_before)s, %(size_predicted)s, %(size_after)s, %(rows)s, %(table_size)s,
    %(seconds_predicted)s, %(took)s, %(wal)s, %(yielded)s, %(cost_before)s, %(cost_after)s, %(error_code)s
)
