-- What calls took before they got slower, of every statement that people were told of: the newest slowness of each.
-- on: ledger
SELECT DISTINCT ON (fingerprint, role) fingerprint, role, usual_ms
FROM reporting.regressions
WHERE database = %(database)s AND replica = %(replica)s AND day >= %(first_day)s AND kind = 'regression'
  AND first_bad_day IS NOT NULL
ORDER BY fingerprint, role, first_bad_day DESC, day
