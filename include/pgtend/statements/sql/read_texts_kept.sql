-- The texts of a few statements, as they were kept: without literals.
-- on: ledger
SELECT DISTINCT ON (fingerprint) fingerprint, coalesce(query, '') AS query
FROM reporting.statement_days
WHERE database = %(database)s AND replica = %(replica)s AND day BETWEEN %(first_day)s AND %(day)s
  AND fingerprint = ANY (%(fingerprints)s)
ORDER BY fingerprint, day DESC
