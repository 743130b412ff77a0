-- One metric of one database in even steps, made of single looks: for a chart of hours or of some days.
-- on: ledger
SELECT
    date_bin(%(step)s::interval, at, %(since)s::timestamptz) AS at,
    min(value)::float8 AS low,
    avg(value)::float8 AS mean,
    max(value)::float8 AS high,
    (array_agg(value ORDER BY at DESC))[1]::float8 AS last
FROM reporting.health_readings
WHERE database = %(database)s::text AND metric = %(metric)s::text AND at >= %(since)s::timestamptz
GROUP BY 1
ORDER BY 1
