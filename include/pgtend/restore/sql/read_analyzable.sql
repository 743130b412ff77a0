-- Lists what has rows and can have statistics. The catalogue of a new database has none yet; what all databases share has.
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_relation_size(c.oid) AS size
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND NOT c.relisshared
