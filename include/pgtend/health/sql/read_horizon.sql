-- Who keeps VACUUM from removing dead rows, and by how many transactions: a session, a prepared transaction, a replication
-- slot or a standby that reports back. Where sessions are hidden from us, the oldest may be among them.
SELECT
    EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.query = '<insufficient privilege>') AS is_hidden,
    coalesce(worst.kind, '') AS kind,
    coalesce(worst.holder, '') AS holder,
    worst.behind
FROM (VALUES (1)) AS one (row)
LEFT JOIN (
    SELECT * FROM (
        SELECT
            'session' AS kind,
            coalesce(nullif(a.application_name, ''), 'unnamed') || ', process ' || a.pid AS holder,
            age(a.backend_xmin)::bigint AS behind
        FROM pg_stat_activity AS a
        WHERE
            a.backend_xmin IS NOT NULL
            AND a.pid <> pg_backend_pid()
            AND a.backend_type <> 'walsender'
            AND a.datname = current_database()
        UNION ALL
        SELECT
            'standby',
            coalesce(nullif(r.application_name, ''), 'unnamed'),
            age(r.backend_xmin)::bigint
        FROM pg_stat_replication AS r
        WHERE r.backend_xmin IS NOT NULL
        UNION ALL
        SELECT
            'prepared transaction',
            'owned by ' || p.owner,
            age(p.transaction)::bigint
        FROM pg_prepared_xacts AS p
        WHERE p.database = current_database()
        UNION ALL
        SELECT
            'replication slot',
            s.slot_name::text,
            greatest(age(s.xmin), age(s.catalog_xmin))::bigint
        FROM pg_replication_slots AS s
        WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
    ) AS h
    ORDER BY h.behind DESC NULLS LAST
    LIMIT 1
) AS worst ON TRUE
