-- How a database stood at the last look, and what that look left to compare with.
-- on: ledger
SELECT
    at,
    findings::text AS findings,
    memory::text AS memory
FROM reporting.health_current
WHERE database = %(database)s::text
