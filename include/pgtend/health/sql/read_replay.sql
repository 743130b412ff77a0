-- How late a standby is itself: nothing when it has replayed all it received, since a quiet primary sends nothing. Unless
-- nobody sends any more: then nobody knows what it lacks, and the age of what it has is the truth.
SELECT
    pg_is_in_recovery() AS is_standby,
    CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
        ELSE extract(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())
    END::float8 AS delay
