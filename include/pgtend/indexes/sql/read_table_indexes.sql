-- The indexes of one table with everything a rebuild must preserve. Read before and after: what is left over is known by OID.
SELECT
    i.indexrelid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    pg_get_indexdef(i.indexrelid) AS definition,
    regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX .+? ON ', '\1') AS shape,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    i.indisreplident AS is_replica_identity,
    i.indisclustered AS is_clustered,
    coalesce((SELECT k.conname::text FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')), '')
        AS constraint_name,
    coalesce(obj_description(i.indexrelid, 'pg_class'), '') AS comment,
    pg_relation_size(i.indexrelid) AS size,
    EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = i.indrelid) AS is_being_built,
    pg_has_role(c.relowner, 'USAGE') AS may_drop
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = %(table)s::oid
ORDER BY c.relname
