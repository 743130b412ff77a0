-- What changed between two spans of nights, the largest change first, for better or worse.
-- on: ledger
SELECT fingerprint, role, query, calls, earlier_calls, mean_ms, earlier_mean_ms, change_ms, by_calls_ms, by_mean_ms,
    blocks_per_call, earlier_blocks_per_call
FROM reporting.compare_statements(
    %(database)s, %(replica)s, %(first_day)s, %(day)s, %(earlier_first)s, %(earlier_last)s)
ORDER BY abs(change_ms) DESC, fingerprint
LIMIT %(rows)s
