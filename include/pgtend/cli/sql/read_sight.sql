-- Whether the role sees the sessions of others and the write-ahead log, and its name for a statement. Both are in
-- pg_monitor, and a role may have them by other ways.
SELECT
    pg_has_role('pg_read_all_stats', 'USAGE') AND has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS is_whole,
    quote_ident(current_user)::text AS sql_role
