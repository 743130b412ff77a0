-- Who counted, and since when: what tells a restart, a failover and a restored database from one night to the next.
SELECT
    clock_timestamp() AS taken_at,
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
    pg_postmaster_start_time() AS postmaster_started_at,
    pg_is_in_recovery() AS is_standby,
    current_setting('server_version_num')::int AS server_version,
    here.oid::bigint AS database_oid,
    (SELECT count(*) FROM {schema}.pg_stat_statements(false))::int AS entries_on_server,
    -- Version 13 has no such column.
    (SELECT (to_jsonb(stats) ->> 'active_time')::float8 FROM pg_stat_database AS stats WHERE stats.datid = here.oid)
        AS active_total_ms
FROM pg_database AS here
WHERE here.datname = current_database()
