-- How many alerts are open.
-- on: ledger
SELECT
    a.database,
    a.severity,
    count(*)::int AS amount
FROM reporting.open_alerts AS a
GROUP BY a.database, a.severity
ORDER BY a.database, a.severity
