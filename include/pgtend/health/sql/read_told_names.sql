-- Which numbers an application told lately, each with its newest value.
-- on: ledger
SELECT DISTINCT ON (name)
    name,
    unit,
    at,
    value,
    told_by
FROM reporting.told_metrics
WHERE database = %(database)s::text AND at >= %(since)s::timestamptz
ORDER BY name, at DESC
