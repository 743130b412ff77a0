-- Indexes that another one makes needless: exactly the same, or the beginning of a longer one. What belongs to a constraint,
-- is unique or identifies rows for replication is never needless.
WITH mine AS MATERIALIZED (
    SELECT
        i.indexrelid,
        i.indrelid,
        c.relname,
        n.nspname,
        t.relname AS table_name,
        c.relam,
        i.indnkeyatts,
        i.indnatts,
        i.indkey::int2[] AS keys,
        i.indclass::oid[] AS classes,
        i.indcollation::oid[] AS collations,
        i.indoption::int2[] AS options,
        coalesce(i.indexprs::text, '') AS expressions,
        coalesce(i.indpred::text, '') AS predicate,
        coalesce(c.reloptions::text, '') AS storage,
        i.indisunique,
        i.indisreplident OR i.indisclustered OR i.indisexclusion OR EXISTS (
            SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid
        ) AS is_needed,
        c.relpages::bigint * current_setting('block_size')::int AS size
    FROM pg_index AS i
    INNER JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    INNER JOIN pg_class AS t ON t.oid = i.indrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indisvalid AND i.indexrelid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
        AND NOT c.relispartition
)
SELECT DISTINCT ON (small.nspname, small.relname)
    small.indexrelid::bigint AS oid,
    small.nspname::text AS schema,
    small.table_name::text AS table_name,
    small.relname::text AS name,
    large.relname::text AS other,
    small.keys = large.keys AND small.indnatts = large.indnatts AS is_duplicate,
    small.size,
    pg_get_indexdef(small.indexrelid) AS definition
FROM mine AS small
INNER JOIN mine AS large ON
    large.indrelid = small.indrelid AND large.indexrelid <> small.indexrelid AND large.relam = small.relam
    AND large.predicate = small.predicate
WHERE
    NOT small.is_needed AND NOT small.indisunique
    AND small.classes[0:small.indnkeyatts - 1] = large.classes[0:small.indnkeyatts - 1]
    AND small.collations[0:small.indnkeyatts - 1] = large.collations[0:small.indnkeyatts - 1]
    AND small.options[0:small.indnkeyatts - 1] = large.options[0:small.indnkeyatts - 1]
    AND (
        (
            small.keys = large.keys AND small.indnkeyatts = large.indnkeyatts AND small.expressions = large.expressions
            AND small.storage = large.storage
            -- Of two that are the same the one that is needed stays, or else the first by name: a restored copy must choose
            -- the same, and numbers are others there.
            AND (large.is_needed OR large.indisunique OR large.relname < small.relname)
        )
        OR (
            small.relam = (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'btree')
            AND small.expressions = '' AND large.expressions = ''
            AND small.indnatts = small.indnkeyatts AND large.indnkeyatts > small.indnkeyatts
            AND small.keys[0:small.indnkeyatts - 1] = large.keys[0:small.indnkeyatts - 1]
        )
    )
ORDER BY small.nspname, small.relname, small.keys = large.keys DESC, large.size
