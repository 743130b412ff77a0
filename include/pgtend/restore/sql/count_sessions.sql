-- Sessions take a moment to end after they were told to. An autovacuum is ended by the server itself when the name changes.
SELECT count(*)::int AS ended
FROM pg_stat_activity
WHERE datname = %(name)s AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
