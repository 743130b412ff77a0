-- What each of the last days was like in one metric of one database.
-- on: ledger
SELECT
    day AS at,
    low::float8 AS low,
    mean::float8 AS mean,
    high::float8 AS high,
    last::float8 AS last
FROM reporting.health_days
WHERE database = %(database)s::text AND metric = %(metric)s::text AND day >= %(since)s::timestamptz
ORDER BY day
