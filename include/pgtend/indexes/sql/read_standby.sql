-- How far a standby is behind, and whether somebody there reads the table: replaying the end of a rebuild would end that.
SELECT
    pg_is_in_recovery() AS is_standby,
    CASE
        WHEN pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_last_wal_replay_lsn() THEN 0
        ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
    END::float8 AS lag,
    EXISTS (
        SELECT FROM pg_locks AS l
        LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
        WHERE
            l.relation = %(table)s::oid AND l.granted AND l.pid <> pg_backend_pid()
            -- Without the right to see when it began it may be old.
            AND (a.xact_start IS NULL OR a.xact_start < clock_timestamp() - interval '60 seconds')
            AND a.usesysid IS NOT NULL
    ) AS is_read
