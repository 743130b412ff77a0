-- What a job must know about the server before it does anything, in one round trip, together with the signs by which a
-- connection pooler gives itself away: a backend other than the one libpq was promised, and settings that were dropped.
SELECT
    current_setting('server_version_num')::int AS version,
    pg_is_in_recovery() AS is_standby,
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    current_database()::text AS database,
    current_user::text AS role,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
    COALESCE((SELECT jsonb_object_agg(extname, extversion) FROM pg_extension), '{}') AS extensions,
    pg_postmaster_start_time() AS started_at,
    pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS collation,
    d.datconnlimit AS database_connection_limit,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_connection_limit,
    current_setting('max_connections')::int AS max_connections,
    current_setting('data_checksums')::bool AS has_checksums,
    pg_backend_pid() AS backend_pid,
    current_setting('application_name') AS application,
    current_setting('search_path') AS search_path
FROM pg_database AS d
WHERE d.datname = current_database()
