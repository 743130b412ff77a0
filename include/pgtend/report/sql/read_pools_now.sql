-- Who holds connections to a database.
-- on: ledger
SELECT
    p.application,
    p.role,
    p.sessions,
    p.active,
    p.idle,
    p.idle_in_transaction,
    p.idle_long
FROM reporting.health_pools AS p
WHERE p.database = %(database)s::text
ORDER BY p.sessions DESC, p.application, p.role
