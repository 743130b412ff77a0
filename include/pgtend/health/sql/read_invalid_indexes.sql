-- Indexes that every write pays for and no query uses, left behind by a build that failed; one that is being built is fine,
-- and so is one that is being exchanged or removed: whoever does that holds a lock on the index itself.
SELECT
    count(*)::int AS amount,
    coalesce((array_agg(n.nspname || '.' || c.relname ORDER BY c.relname))[1], '') AS first
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    NOT i.indisvalid
    AND c.relkind = 'i'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
    AND NOT EXISTS (
        SELECT FROM pg_locks AS l
        WHERE
            l.relation = i.indexrelid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
            AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    )
