-- How large the index on the sample became, and of how many rows. CREATE INDEX counts them exactly, but writes down those of
-- the table only where autovacuum is on; then our own transaction knows how many it put there.
SELECT
    pg_relation_size(c.oid) AS size,
    greatest(c.reltuples, 0)::bigint AS rows,
    (
        SELECT greatest(s.reltuples::bigint, pg_stat_get_xact_tuples_inserted(s.oid)) FROM pg_class AS s WHERE s.oid = i.indrelid
    ) AS sampled_rows,
    pg_relation_size(i.indrelid) AS sampled_size
FROM pg_class AS c
INNER JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace = pg_my_temp_schema() AND c.relname = %(name)s
