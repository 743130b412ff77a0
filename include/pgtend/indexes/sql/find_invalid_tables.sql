-- The tables that have an index nobody can use.
SELECT DISTINCT
    i.indrelid::bigint AS oid
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND i.indexrelid >= 16384 AND c.relkind = 'i'
    AND c.relpersistence <> 't'
