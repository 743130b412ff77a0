-- Whether statements are counted at all and whether we may see them, in one round trip, so that everything missing can
-- be said at once. A setting of the extension is unknown to a server that has not loaded it.
SELECT
    (SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_stat_statements')::text AS schema_name,
    (SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements')::text AS extension_version,
    current_setting('pg_stat_statements.max', true)::int AS capacity,
    coalesce(current_setting('pg_stat_statements.track', true), '')::text AS track,
    coalesce(current_setting('pg_stat_statements.save', true), '')::text AS save,
    coalesce(current_setting('compute_query_id', true), '')::text AS compute_query_id,
    current_setting('track_io_timing')::bool AS times_io,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_read_all,
    current_database()::text AS database,
    quote_ident(current_user)::text AS sql_role
