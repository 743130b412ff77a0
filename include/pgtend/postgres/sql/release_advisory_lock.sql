-- Gives the lock back before the connection closes, so that the next job need not wait for the server to notice.
SELECT pg_advisory_unlock(%(key)s) AS is_ours
