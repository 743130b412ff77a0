-- Replication slots: one that nobody reads keeps WAL until the disk is full. How long it is idle the server says from 17 on.
SELECT
    s.slot_name::text AS name,
    s.active AS is_active,
    (
        CASE
            WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), s.restart_lsn)
            ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)
        END
    )::float8 AS retained,
    coalesce(s.wal_status, '') AS wal_status,
    extract(EPOCH FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8 AS inactive
FROM pg_replication_slots AS s
WHERE NOT s.temporary
ORDER BY s.slot_name
