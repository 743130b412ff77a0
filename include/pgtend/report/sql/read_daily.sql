-- What the days of a database were like, in every metric.
-- on: ledger
SELECT
    d.database,
    d.metric,
    d.day,
    d.low::float8 AS low,
    d.mean::float8 AS mean,
    d.high::float8 AS high,
    d.last::float8 AS last
FROM reporting.health_days AS d
WHERE d.database = ANY(%(databases)s::text[]) AND d.metric = ANY(%(metrics)s::text[]) AND d.day >= %(since)s::timestamptz
ORDER BY d.database, d.metric, d.day
