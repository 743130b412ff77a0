-- Takes the one snapshot that every reader shares, after all locks are held, and tells where in time and in the
-- write-ahead log it lies.
SELECT
    pg_export_snapshot() AS name,
    clock_timestamp() AS taken_at,
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn,
    (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline
