-- One number of an application in even steps, for a chart.
-- on: ledger
SELECT
    date_bin(%(step)s::interval, at, %(since)s::timestamptz) AS at,
    min(value) AS low,
    avg(value) AS mean,
    max(value) AS high,
    (array_agg(value ORDER BY at DESC))[1] AS last
FROM reporting.told_metrics
WHERE database = %(database)s::text AND name = %(name)s::text AND at >= %(since)s::timestamptz
GROUP BY 1
ORDER BY 1
