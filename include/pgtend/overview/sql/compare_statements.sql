-- What changed between two spans of days, and whether more calls or slower ones are why.
-- on: ledger
SELECT fingerprint, role, query, calls, earlier_calls, mean_ms, earlier_mean_ms, exec_ms, earlier_exec_ms, change_ms,
    by_calls_ms, by_mean_ms, nights, earlier_nights
FROM reporting.compare_statements(%(database)s::text, '', %(first)s::date, %(last)s::date, %(earlier_first)s::date,
    %(earlier_last)s::date)
ORDER BY abs(change_ms) DESC, fingerprint LIMIT %(most)s::integer
