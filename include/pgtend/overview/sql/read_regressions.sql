-- What got worse, or better, and the cause that was found: of each night first what people were told of, then what got slower,
-- because a new database has many newcomers.
-- on: ledger
SELECT day, kind, fingerprint, role, coalesce(query, '') AS query, calls, mean_ms, usual_ms, ratio, extra_ms, share, cause,
    first_bad_day, nights, is_alert, run_id
FROM reporting.regressions
WHERE database = %(database)s::text AND day >= %(since)s::date
ORDER BY day DESC, is_alert DESC, kind IN ('whole server', 'regression') DESC, extra_ms DESC LIMIT %(most)s::integer
