-- Who holds connections to this database and what they do with them: a pool that is too large, or that never gives back,
-- shows here by the name of its application.
SELECT
    coalesce(nullif(a.application_name, ''), 'unnamed')::text AS application,
    coalesce(a.usename, '')::text AS role,
    count(*)::int AS sessions,
    (count(*) FILTER (WHERE a.state IN ('active', 'fastpath function call')))::int AS active,
    (count(*) FILTER (WHERE a.state = 'idle'))::int AS idle,
    (count(*) FILTER (WHERE starts_with(a.state, 'idle in transaction')))::int AS idle_in_transaction,
    (count(*) FILTER (WHERE a.state = 'idle' AND a.state_change < clock_timestamp() - %(idle)s::interval))::int AS idle_long
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' AND a.datname = current_database()
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT 50
