-- What lies on the server's disk as far as SQL can see: every database and the WAL.
SELECT
    pg_database_size(current_database()) AS database,
    (SELECT sum(pg_database_size(d.oid)) FROM pg_database AS d)::bigint AS databases,
    (SELECT coalesce(sum(w.size), 0) FROM pg_ls_waldir() AS w)::bigint AS wal,
    current_setting('data_directory', TRUE) AS data_directory
