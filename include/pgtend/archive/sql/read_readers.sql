-- Who may read a table, or some columns of it, apart from its owner.
SELECT COALESCE(quote_ident(r.rolname), 'PUBLIC') AS role, g.columns
FROM (
    SELECT a.grantee, '{}'::text[] AS columns
    FROM pg_class AS c
    CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.oid = %(relation)s::bigint::oid AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    UNION ALL
    SELECT a.grantee, array_agg(t.attname::text ORDER BY t.attname) AS columns
    FROM pg_attribute AS t
    INNER JOIN pg_class AS c ON c.oid = t.attrelid
    CROSS JOIN LATERAL aclexplode(t.attacl) AS a
    WHERE t.attrelid = %(relation)s::bigint::oid AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
      AND NOT t.attisdropped
    GROUP BY a.grantee
) AS g
LEFT JOIN pg_roles AS r ON r.oid = g.grantee
ORDER BY 1, 2
