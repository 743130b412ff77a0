-- Whose plans are worth keeping: what took most time in a night, and what was slow in it.
-- on: ledger
SELECT fingerprint, role, query
FROM (
    SELECT fingerprint, role, query, row_number() OVER (ORDER BY exec_ms DESC) AS by_time,
        CASE WHEN mean_ms >= %(slow_ms)s THEN row_number() OVER (ORDER BY mean_ms DESC) END AS by_mean
    FROM reporting.top_statements(%(database)s, %(replica)s, %(day)s, %(day)s)
    WHERE query <> '' AND exec_ms > 0
) AS ranked
WHERE by_time <= %(wanted)s OR by_mean <= %(wanted)s
ORDER BY by_time
LIMIT %(wanted)s
