-- Whether WAL reaches its archive. The server counts failures and successes; the newer of the two is how it stands.
SELECT
    current_setting('archive_mode') <> 'off' AS is_on,
    coalesce(a.last_failed_time > a.last_archived_time, a.last_failed_time IS NOT NULL) AS is_failing,
    extract(
        EPOCH FROM clock_timestamp() - coalesce(a.last_archived_time, a.stats_reset)
    )::float8 AS since_success
FROM pg_stat_archiver AS a
