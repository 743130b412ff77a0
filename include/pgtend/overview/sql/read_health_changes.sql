-- When something got better or worse, newest first.
-- on: ledger
SELECT at, metric, was, level, value, about, reason
FROM reporting.health_changes
WHERE database = %(database)s::text AND at >= %(since)s::timestamptz
ORDER BY at DESC LIMIT %(most)s::integer
