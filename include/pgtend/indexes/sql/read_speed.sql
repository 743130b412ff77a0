-- How much slower or faster than predicted the last rebuilds of a database went: the median, so that one bad night is none.
-- on: ledger
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.took) / r.seconds_predicted), 1)::float8
    AS factor
FROM (
    SELECT
        b.took,
        b.seconds_predicted
    FROM reporting.index_rebuilds AS b
    WHERE
        b.database = %(database)s AND b.outcome = 'proved' AND b.seconds_predicted > 0 AND b.yielded = 0
        AND b.at > now() - interval '180 days'
    ORDER BY b.at DESC
    LIMIT 50
) AS r
