-- Tells which relations we really hold: a table may have been renamed between being listed and being locked by name.
SELECT l.relation::bigint AS oid
FROM pg_locks AS l
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.mode = 'AccessShareLock'
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
