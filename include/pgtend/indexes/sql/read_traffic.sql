-- What a rebuild of an index of this table would have to wait for, or would disturb.
SELECT
    coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)::float8 AS oldest,
    coalesce((array_agg(a.application_name::text ORDER BY a.xact_start NULLS LAST))[1], '') AS application,
    coalesce((array_agg(a.pid ORDER BY a.xact_start NULLS LAST))[1], 0)::int AS pid,
    EXISTS (SELECT FROM pg_stat_progress_basebackup) AS is_copied,
    EXISTS (SELECT FROM pg_prepared_xacts AS x WHERE x.database = current_database()) AS has_prepared,
    EXISTS (
        SELECT FROM pg_locks AS l
        WHERE
            l.relation = %(table)s::oid AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            AND l.pid <> pg_backend_pid()
            AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    ) AS is_locked,
    (SELECT age(t.relfrozenxid) FROM pg_class AS t WHERE t.oid = %(table)s::oid)::bigint AS table_age,
    EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = %(table)s::oid) AS is_being_built,
    coalesce((
        SELECT max(extract(epoch FROM coalesce(r.replay_lag, '0'))) FROM pg_stat_replication AS r WHERE r.state = 'streaming'
    ), 0)::float8 AS lag,
    (SELECT count(*) FROM pg_replication_slots AS s WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND NOT s.temporary)::int
        AS idle_slots
FROM pg_stat_activity AS a
WHERE
    a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
    AND a.backend_type = 'client backend'
