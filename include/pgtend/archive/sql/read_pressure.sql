-- What others would feel if we went on: replicas that fall behind, and write-ahead log that piles up because a slot or the
-- archiver holds it back. What this role may not see counts as none.
SELECT
    COALESCE((SELECT max(r.replay_lag) FROM pg_stat_replication AS r), interval '0') AS replica_lag,
    GREATEST(
        0,
        (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)) FROM pg_replication_slots AS s),
        (
            SELECT pg_wal_lsn_diff(
                pg_current_wal_lsn(),
                '0/0'::pg_lsn + (
                    ('x' || substr(a.last_archived_wal, 9, 8))::bit(32)::bigint::numeric * 4294967296
                    + (('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint + 1)
                    * (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')
                )
            )
            FROM pg_stat_archiver AS a
            WHERE current_setting('archive_mode') <> 'off' AND a.last_archived_wal ~ '^[0-9A-F]{24}'
        )
    )::bigint AS wal_backlog,
    pg_current_wal_lsn()::text AS lsn
