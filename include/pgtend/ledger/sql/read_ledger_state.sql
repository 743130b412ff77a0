-- Whether this database is a ledger and whether we may use it, asked of catalogs that everybody may read.
-- on: ledger
SELECT
    count(*) FILTER (WHERE thing.relname = 'migration') > 0 AS is_begun,
    count(*) FILTER (WHERE thing.relname = 'migration' AND thing.is_open) > 0 AS is_ours,
    count(*) FILTER (WHERE thing.relname = 'migrations' AND thing.is_open) > 0 AS is_readable
FROM (
    SELECT found.relname, has_schema_privilege(room.oid, 'USAGE') AND has_table_privilege(found.oid, 'SELECT') AS is_open
    FROM pg_class AS found JOIN pg_namespace AS room ON room.oid = found.relnamespace
    WHERE room.nspname = 'reporting' AND found.relname IN ('migration', 'migrations')
) AS thing
