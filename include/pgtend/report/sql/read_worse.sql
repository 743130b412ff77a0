-- What got worse or better among the statements lately, with its cause, newest and dearest first.
-- on: ledger
SELECT
    r.day,
    r.kind,
    r.query,
    r.role,
    r.ratio,
    r.extra_ms,
    r.mean_ms,
    r.usual_ms,
    r.cause,
    r.first_bad_day
FROM reporting.regressions AS r
WHERE r.database = %(database)s::text AND r.replica = '' AND r.day >= %(since)s::date
ORDER BY r.day DESC, abs(r.extra_ms) DESC
LIMIT 30
