-- What was decided for each index, newest first.
-- on: ledger
SELECT run_id, at, schema_name, table_name, index_name, decision, reason, outcome, method, size_before, size_predicted,
    size_after, took, yielded, error_code
FROM reporting.index_rebuilds
WHERE database = %(database)s::text AND at >= %(since)s::timestamptz
  AND (%(decided)s::text = '' OR decision = %(decided)s::text)
ORDER BY at DESC, size_before DESC LIMIT %(most)s::integer
