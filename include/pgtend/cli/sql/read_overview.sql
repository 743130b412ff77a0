-- How large a database is, for the first look at it.
SELECT
    pg_database_size(current_database()) AS size,
    (
        SELECT count(*) FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ) AS tables
