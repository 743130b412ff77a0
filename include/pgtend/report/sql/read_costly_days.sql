-- What some statements cost on each day, for their sparklines.
-- on: ledger
SELECT
    d.fingerprint,
    d.role,
    d.day,
    sum(d.exec_ms)::float8 AS exec_ms
FROM reporting.statement_days AS d
WHERE
    d.database = %(database)s::text
    AND d.replica = ''
    AND d.day >= %(since)s::date
    AND d.fingerprint = ANY(%(fingerprints)s::text[])
GROUP BY d.fingerprint, d.role, d.day
