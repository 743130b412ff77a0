-- The dearest statements of a span of nights, by one of the figures.
-- on: ledger
SELECT fingerprint, role, query, calls, exec_ms, mean_ms, deviation_ms, share, rows, plan_ms, shared_blks_hit,
    shared_blks_read, read_ms, temp_blks, wal_bytes, jit_ms, nights_seen
FROM reporting.dearest_statements(%(database)s, %(replica)s, %(first_day)s, %(day)s, %(ranked_by)s, %(rows)s)
ORDER BY {ranking} DESC, fingerprint
