-- The drills of a database that count for what is due next.
-- on: ledger
SELECT rule, vault, verdict, ended_at, checks_due
FROM reporting.drills
WHERE database = %(database)s
ORDER BY ended_at
