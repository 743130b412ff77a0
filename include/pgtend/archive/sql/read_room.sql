-- What can be known about the disk from here: what all databases take, and, for those who may see it, where they lie.
SELECT
    (SELECT sum(pg_database_size(d.oid)) FROM pg_database AS d WHERE has_database_privilege(d.oid, 'CONNECT'))::bigint AS used,
    CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') ELSE '' END AS folder
