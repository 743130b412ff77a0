-- The exact sizes of a few candidates, and how many rows their tables hold by now if they grew since they were last counted.
SELECT
    c.oid::bigint AS oid,
    pg_relation_size(c.oid) AS size,
    CASE
        WHEN t.relpages > 0
            THEN t.reltuples * (pg_relation_size(t.oid) / current_setting('block_size')::float8) / t.relpages
        ELSE t.reltuples
    END::bigint AS table_rows,
    pg_relation_size(t.oid) AS table_size
FROM unnest(%(indexes)s::bigint[]) AS given (number)
INNER JOIN pg_class AS c ON c.oid = given.number::oid
INNER JOIN pg_index AS i ON i.indexrelid = c.oid
INNER JOIN pg_class AS t ON t.oid = i.indrelid
