-- Everything about one table that decides whether and how its old rows may leave, except what comes in many rows.
SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    format('%%I.%%I', n.nspname, c.relname) AS sql_name,
    c.relkind = 'p' AS is_partitioned,
    c.relispartition AS is_partition,
    c.relpersistence <> 'p' AS is_fleeting,
    EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = c.oid) AND c.relkind = 'r' AS has_heirs,
    c.relrowsecurity AS has_policies,
    row_security_active(c.oid) AS hides_rows,
    o.rolname::text AS owner,
    quote_ident(o.rolname) AS sql_owner,
    quote_ident(current_user) AS sql_role,
    quote_ident(n.nspname) AS sql_schema,
    quote_ident(current_database()) AS sql_database,
    pg_has_role(c.relowner, 'USAGE') AS acts_as_owner,
    CASE
        WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role(c.relowner, 'SET')
        ELSE pg_has_role(c.relowner, 'MEMBER')
    END AS may_give_to_owner,
    has_schema_privilege(n.oid, 'CREATE') AS may_create_here,
    has_schema_privilege(c.relowner, n.oid, 'CREATE') AS owner_may_create_here,
    CASE
        WHEN to_regnamespace('pgtend_archive') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
        ELSE pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'pgtend_archive'), 'USAGE')
    END AS may_remember,
    COALESCE((
        SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary
    ), '{}') AS key,
    COALESCE((
        SELECT CASE WHEN p.partstrat = 'r' AND p.partnatts = 1 THEN a.attname::text END
        FROM pg_partitioned_table AS p
        LEFT JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = c.oid
    ), '') AS partitioned_by,
    EXISTS (SELECT FROM pg_partitioned_table AS p WHERE p.partrelid = c.oid AND p.partdefid <> 0) AS has_default,
    ARRAY(SELECT r.rulename::text FROM pg_rewrite AS r WHERE r.ev_class = c.oid AND r.ev_type <> '1' ORDER BY 1) AS rules,
    ARRAY(
        SELECT p.pubname::text FROM pg_publication_tables AS p
        WHERE p.schemaname = n.nspname AND p.tablename = c.relname ORDER BY 1
    ) AS publications,
    EXISTS (
        SELECT FROM pg_publication_tables AS p
        INNER JOIN pg_publication AS whole ON whole.pubname = p.pubname
        WHERE p.schemaname = n.nspname AND p.tablename = c.relname AND whole.pubdelete
    ) AND (
        c.relreplident = 'n'
        OR (c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary))
    ) AS lacks_identity,
    ARRAY(
        SELECT DISTINCT format('%%I.%%I', vn.nspname, v.relname)
        FROM pg_depend AS d
        INNER JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        INNER JOIN pg_class AS v ON v.oid = r.ev_class AND v.oid <> c.oid
        INNER JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND v.relname <> c.relname || '_all'
        ORDER BY 1
    ) AS views
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_roles AS o ON o.oid = c.relowner
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
