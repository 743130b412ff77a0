-- What we did to a database and what changed around it, for the marks on its charts.
-- on: ledger
SELECT
    e.at,
    e.kind,
    e.detail
FROM reporting.events AS e
WHERE e.database = %(database)s::text AND e.at >= %(since)s::timestamptz AND e.kind NOT IN ('analyze', 'backup')
ORDER BY e.at
