-- Who holds connections, as monitoring counts them: by application, role and state.
-- on: ledger
SELECT
    p.database,
    p.application,
    p.role,
    p.active,
    p.idle,
    p.idle_in_transaction
FROM reporting.health_pools AS p
INNER JOIN reporting.health_databases AS d ON d.database = p.database
WHERE NOT d.is_stale
ORDER BY p.database, p.application, p.role
