-- Looks for a table or a view by its name: what it is, and what its comment says.
SELECT
    c.oid::bigint AS oid,
    c.relkind::text AS kind,
    c.relrowsecurity AS has_policies,
    c.relispartition AS is_partition,
    COALESCE(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
