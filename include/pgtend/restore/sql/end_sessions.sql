-- A database with sessions in it cannot be renamed. A session that may not be ended is an error of the server.
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::int AS ended
FROM pg_stat_activity
WHERE datname = %(name)s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
