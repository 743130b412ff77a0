-- Sessions take a moment to end after they were told to.
SELECT count(*)::int AS ended
FROM pg_stat_activity
WHERE datname = %(name)s AND pid <> pg_backend_pid()
