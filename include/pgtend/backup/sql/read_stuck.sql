-- Names who waits for a table that we hold and so keeps our own dumps from it: each new lock waits behind a stronger one
-- that was asked for before, and that one waits for us. Nothing would come of it until one of them gives up.
SELECT other.application_name AS who, holding.relation::regclass::text AS sql_name
FROM pg_locks AS ours
JOIN pg_stat_activity AS dump ON dump.pid = ours.pid AND dump.application_name = %(application)s
JOIN pg_locks AS holding
    ON holding.locktype = 'relation' AND holding.database = ours.database AND holding.relation = ours.relation
    AND holding.pid = pg_backend_pid() AND holding.granted
JOIN pg_locks AS strong
    ON strong.locktype = 'relation' AND strong.database = ours.database AND strong.relation = ours.relation
    AND NOT strong.granted AND strong.mode = 'AccessExclusiveLock'
JOIN pg_stat_activity AS other ON other.pid = strong.pid
WHERE ours.locktype = 'relation' AND NOT ours.granted AND ours.mode = 'AccessShareLock'
