-- Who holds connections, as of the last look.
-- on: ledger
SELECT application, role, sessions, active, idle, idle_in_transaction, idle_long, looked_at
FROM reporting.health_pools
WHERE database = %(database)s::text
ORDER BY sessions DESC, application, role
