-- Takes the lock that keeps two jobs of one kind off the same database, without waiting inside the server, so that
-- the wait shows up in no statement timeout and can be given up at any moment.
SELECT pg_try_advisory_lock(%(key)s) AS is_ours
