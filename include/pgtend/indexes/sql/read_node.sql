-- How large everything on the server is, where it lies, and how it counts transactions.
SELECT
    (SELECT sum(pg_database_size(d.oid)) FROM pg_database AS d WHERE has_database_privilege(d.oid, 'CONNECT'))::bigint
        AS server_size,
    CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') ELSE '' END AS folder,
    current_setting('autovacuum_freeze_max_age')::bigint AS freeze_age
