-- The policies by which rows of a table may be read, as the server would write them down.
SELECT
    p.polname::text AS name,
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS kind,
    CASE
        WHEN p.polroles = '{0}' THEN 'PUBLIC'
        ELSE (SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FROM pg_roles AS r WHERE r.oid = ANY (p.polroles))
    END AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS condition
FROM pg_policy AS p
WHERE p.polrelid = %(relation)s::bigint::oid AND p.polcmd IN ('r', '*')
ORDER BY p.polname
