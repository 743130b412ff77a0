-- How far each standby is behind, in bytes of WAL and in time; state is hidden from a role that may not monitor. Standbys
-- nobody gave a name all have the same one: they are told apart by their machines, so that one that leaves is missed.
SELECT
    coalesce(nullif(r.application_name, ''), 'unnamed')
    || CASE dense_rank() OVER same WHEN 1 THEN '' ELSE ' (' || dense_rank() OVER same || ')' END AS name,
    r.state IS NULL AS is_hidden,
    CASE
        WHEN pg_is_in_recovery() THEN NULL
        ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::float8
    END AS behind,
    extract(EPOCH FROM r.replay_lag)::float8 AS lag
FROM pg_stat_replication AS r
WHERE NOT starts_with(coalesce(r.application_name, ''), 'pg_basebackup')
WINDOW same AS (PARTITION BY coalesce(r.application_name, '') ORDER BY r.client_addr)
