-- What the server counted for this database so far, and how old its oldest transaction is. Ratios are made of what was added
-- between two looks, never of all time: a cold cache this morning must not hide behind a warm year.
SELECT
    d.blks_hit,
    d.blks_read,
    d.xact_commit,
    d.xact_rollback,
    d.deadlocks,
    d.temp_bytes,
    d.checksum_failures,
    coalesce(d.stats_reset::text, '') AS counted_since,
    age(b.datfrozenxid)::bigint AS transaction_age,
    mxid_age(b.datminmxid)::bigint AS multixact_age,
    current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,
    current_setting('data_checksums') = 'on' AS has_checksums
FROM pg_stat_database AS d
INNER JOIN pg_database AS b ON b.oid = d.datid
WHERE d.datname = current_database()
