-- What all sessions together do at this moment, in one pass over pg_stat_activity, with the worst of each kind named so that
-- a person can find it. Our own work may rightly take hours, so it is left out of what is called long.
WITH others AS MATERIALIZED (
    SELECT
        a.pid,
        a.state,
        a.backend_type,
        a.query = '<insufficient privilege>' AS is_hidden,
        a.datname = current_database() AS is_here,
        starts_with(a.application_name, 'pgtend') AS is_ours,
        coalesce(nullif(a.application_name, ''), 'unnamed') || ', process ' || a.pid AS who,
        extract(EPOCH FROM clock_timestamp() - a.state_change)::float8 AS in_state,
        extract(EPOCH FROM clock_timestamp() - a.query_start)::float8 AS in_query,
        extract(EPOCH FROM clock_timestamp() - a.xact_start)::float8 AS in_transaction
    FROM pg_stat_activity AS a
    WHERE a.pid <> pg_backend_pid()
),
clients AS MATERIALIZED (
    SELECT * FROM others
    WHERE backend_type = 'client backend'
)
SELECT
    (SELECT count(*) FROM others WHERE is_hidden)::int AS hidden,
    (SELECT count(*) FROM clients)::int AS sessions,
    (SELECT count(*) FROM clients WHERE is_here AND state IN ('active', 'fastpath function call'))::int AS active,
    (SELECT count(*) FROM clients WHERE is_here AND state = 'idle')::int AS idle,
    (SELECT count(*) FROM clients WHERE is_here)::int AS sessions_here,
    (
        current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', TRUE)::int, 0)
    ) AS places,
    idle.in_state AS idle_in_transaction,
    coalesce(idle.who, '') AS idle_in_transaction_who,
    query.in_query AS longest_query,
    coalesce(query.who, '') AS longest_query_who,
    xact.in_transaction AS longest_transaction,
    coalesce(xact.who, '') AS longest_transaction_who
FROM (VALUES (1)) AS one (row)
LEFT JOIN LATERAL (
    SELECT c.in_state, c.who FROM clients AS c
    WHERE c.is_here AND NOT c.is_ours AND starts_with(c.state, 'idle in transaction')
    ORDER BY c.in_state DESC LIMIT 1
) AS idle ON TRUE
LEFT JOIN LATERAL (
    SELECT c.in_query, c.who FROM clients AS c
    WHERE c.is_here AND NOT c.is_ours AND c.state = 'active'
    ORDER BY c.in_query DESC LIMIT 1
) AS query ON TRUE
LEFT JOIN LATERAL (
    SELECT c.in_transaction, c.who FROM clients AS c
    WHERE c.is_here AND NOT c.is_ours AND c.in_transaction IS NOT NULL
    ORDER BY c.in_transaction DESC LIMIT 1
) AS xact ON TRUE
