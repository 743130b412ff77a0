-- The statements that cost most in the last month, and in how many of its nights each was seen.
-- on: ledger
SELECT
    t.fingerprint,
    t.role,
    t.query,
    t.calls,
    t.exec_ms,
    t.mean_ms,
    t.deviation_ms,
    t.share,
    t.rows,
    t.shared_blks_hit,
    t.shared_blks_read,
    t.nights_seen,
    t.nights
FROM reporting.dearest_statements(%(database)s::text, '', %(first)s::date, %(last)s::date, 'exec_ms', 20) AS t
ORDER BY t.exec_ms DESC
