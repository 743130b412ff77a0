-- What got better or worse lately, newest first.
-- on: ledger
SELECT
    c.at,
    c.metric,
    c.was,
    c.level,
    c.value,
    c.about,
    c.reason
FROM reporting.health_changes AS c
WHERE c.database = %(database)s::text AND c.at >= %(since)s::timestamptz
ORDER BY c.at DESC, c.metric
LIMIT 40
