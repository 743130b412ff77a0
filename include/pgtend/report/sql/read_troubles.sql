-- What is broken now, oldest first.
-- on: ledger
SELECT
    a.database,
    a.pipeline,
    a.severity,
    a.code,
    a.message,
    a.hint,
    a.opened_at,
    a.times_failed
FROM reporting.open_alerts AS a
WHERE a.database = ANY(%(databases)s::text[])
ORDER BY a.opened_at
