-- The statements that cost most in the last four weeks, with their values taken out.
-- on: ledger
SELECT t.query, t.role, t.calls::bigint AS calls, t.exec_ms::float8 AS exec_ms
FROM reporting.top_statements(%(database)s, '', (now() - interval '28 days')::date, now()::date) AS t
WHERE t.query IS NOT NULL
ORDER BY t.exec_ms DESC
LIMIT %(rows)s
