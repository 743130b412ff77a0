-- Tells when a database was looked at last: looks at health are no runs, so that a year of them stays small.
-- on: ledger
SELECT looked_at
FROM reporting.health_databases
WHERE database = %(database)s::text
