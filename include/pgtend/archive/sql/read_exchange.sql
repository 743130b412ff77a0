-- Writes down, while nobody else is in the table, every statement that puts a partitioned one in its place: PostgreSQL says itself
-- what its indexes, keys, triggers, policies, rights and views are. The table of before becomes the first partition.
WITH it AS (
    SELECT
        c.oid, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, n.nspname,
        format('%%I.%%I', n.nspname, c.relname) AS live,
        format('%%I.%%I', n.nspname, %(past)s::text) AS past,
        obj_description(c.oid, 'pg_class') AS comment
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = %(relation)s::bigint::oid
), triggers AS (
    SELECT t.oid, t.tgname, t.tgenabled FROM pg_trigger AS t INNER JOIN it ON t.tgrelid = it.oid WHERE NOT t.tgisinternal
), owned AS (
    SELECT s.oid, sn.nspname, s.relname, a.attname, a.attidentity, d.deptype
    FROM it
    INNER JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = it.oid AND d.classid = 'pg_class'::regclass
    INNER JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    INNER JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
    INNER JOIN pg_attribute AS a ON a.attrelid = it.oid AND a.attnum = d.refobjsubid
    WHERE d.deptype IN ('a', 'i')
), keys AS (
    SELECT con.oid, con.conname, con.contype, con.conindid, con.conkey
    FROM it INNER JOIN pg_constraint AS con ON con.conrelid = it.oid
    WHERE con.contype IN ('p', 'u', 'f')
), indexes AS (
    SELECT x.oid, x.relname, k.contype, k.oid AS key_id
    FROM it
    INNER JOIN pg_index AS i ON i.indrelid = it.oid AND i.indisvalid
    INNER JOIN pg_class AS x ON x.oid = i.indexrelid AND x.relname <> %(key)s::text
    LEFT JOIN keys AS k ON k.conindid = x.oid AND k.contype IN ('p', 'u')
), granted AS (
    SELECT a.grantee, a.privilege_type, a.is_grantable, '' AS columns
    FROM it CROSS JOIN LATERAL aclexplode(it.relacl) AS a
    WHERE a.grantee <> it.relowner
    UNION ALL
    SELECT a.grantee, a.privilege_type, a.is_grantable, format(' (%%I)', t.attname)
    FROM it
    INNER JOIN pg_attribute AS t ON t.attrelid = it.oid AND NOT t.attisdropped
    CROSS JOIN LATERAL aclexplode(t.attacl) AS a
), steps (stage, place, definition) AS (
    SELECT 10, t.tgname::text, format('DROP TRIGGER %%I ON %%s', t.tgname, it.live) FROM it CROSS JOIN triggers AS t
    UNION ALL
    SELECT 11, k.conname::text, format('ALTER TABLE %%s DROP CONSTRAINT %%I', it.live, k.conname)
    FROM it CROSS JOIN keys AS k WHERE k.contype = 'p' AND %(key)s::text <> ''
    UNION ALL
    SELECT 12, '', format('ALTER TABLE %%s ADD CONSTRAINT %%I PRIMARY KEY USING INDEX %%I', it.live, %(key)s::text, %(key)s::text)
    FROM it WHERE %(key)s::text <> ''
    UNION ALL
    SELECT 13, i.relname::text, format(
        'ALTER INDEX %%I.%%I RENAME TO %%I', it.nspname, i.relname,
        left(i.relname, 50) || '_' || left(md5(i.relname || %(past)s::text), 8)
    )
    FROM it CROSS JOIN indexes AS i WHERE NOT (i.contype IS NOT DISTINCT FROM 'p' AND %(key)s::text <> '')
    UNION ALL
    SELECT 14, o.attname::text, format('ALTER TABLE %%s ALTER COLUMN %%I DROP IDENTITY', it.live, o.attname)
    FROM it CROSS JOIN owned AS o WHERE o.deptype = 'i'
    UNION ALL
    SELECT 20, '', format('ALTER TABLE %%s RENAME TO %%I', it.live, %(past)s::text) FROM it
    UNION ALL
    SELECT 21, '', format(
        'CREATE TABLE %%s (LIKE %%s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE'
        ' INCLUDING COMPRESSION INCLUDING COMMENTS INCLUDING STATISTICS) PARTITION BY RANGE (%%I)',
        it.live, it.past, %(time)s::text
    )
    FROM it
    UNION ALL
    SELECT 22, '', format('ALTER TABLE %%s DROP CONSTRAINT %%I', it.live, %(limit)s::text) FROM it
    UNION ALL
    SELECT 23, o.attname::text, format(
        'ALTER TABLE %%s ALTER COLUMN %%I ADD GENERATED %%s AS IDENTITY (SEQUENCE NAME %%I.%%I START WITH %%s INCREMENT BY %%s'
        ' MINVALUE %%s MAXVALUE %%s CACHE %%s %%s)',
        it.live, o.attname, CASE o.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, o.nspname, o.relname,
        COALESCE(pg_sequence_last_value(o.oid) + s.seqincrement, s.seqstart), s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
        CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END
    )
    FROM it CROSS JOIN owned AS o INNER JOIN pg_sequence AS s ON s.seqrelid = o.oid WHERE o.deptype = 'i'
    UNION ALL
    SELECT 24, '', format('ALTER TABLE %%s OWNER TO %%I', it.live, pg_get_userbyid(it.relowner)) FROM it
    UNION ALL
    SELECT 25, o.attname::text, format(
        'ALTER SEQUENCE %%I.%%I OWNED BY %%s.%%I', o.nspname, o.relname, it.live, o.attname
    )
    FROM it CROSS JOIN owned AS o WHERE o.deptype = 'a'
    UNION ALL
    SELECT DISTINCT 26, '', format(
        'REVOKE ALL ON %%s FROM %%s', it.live, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
    )
    FROM it
    CROSS JOIN pg_default_acl AS d
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
    WHERE d.defaclobjtype = 'r' AND a.grantee <> it.relowner
    UNION ALL
    SELECT 27, g.privilege_type || g.columns, format(
        'GRANT %%s%%s ON %%s TO %%s%%s', g.privilege_type, g.columns, it.live,
        CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    )
    FROM it CROSS JOIN granted AS g
    UNION ALL
    SELECT 30, k.conname::text, format(
        'ALTER TABLE %%s ADD CONSTRAINT %%I %%s', it.live, k.conname,
        CASE WHEN k.contype = 'p' AND %(key)s::text <> '' THEN format(
            'PRIMARY KEY (%%s, %%I)',
            (
                SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY c.place)
                FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, place)
                INNER JOIN pg_attribute AS a ON a.attrelid = it.oid AND a.attnum = c.attnum
            ), %(time)s::text
        ) ELSE pg_get_constraintdef(k.oid) END
    )
    FROM it CROSS JOIN keys AS k
    UNION ALL
    SELECT 31, i.relname::text, pg_get_indexdef(i.oid) FROM indexes AS i WHERE i.key_id IS NULL
    UNION ALL
    SELECT 33, '', format('ALTER TABLE %%s ATTACH PARTITION %%s FOR VALUES FROM (MINVALUE) TO (%%L)', it.live, it.past, %(bound)s::text)
    FROM it
    UNION ALL
    SELECT 34, t.tgname::text, pg_get_triggerdef(t.oid) FROM triggers AS t
    UNION ALL
    SELECT 35, t.tgname::text, format(
        'ALTER TABLE %%s %%s TRIGGER %%I', it.live,
        CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname
    )
    FROM it CROSS JOIN triggers AS t WHERE t.tgenabled <> 'O'
    UNION ALL
    SELECT 36, 'enable', format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY', it.live) FROM it WHERE it.relrowsecurity
    UNION ALL
    SELECT 36, 'force', format('ALTER TABLE %%s FORCE ROW LEVEL SECURITY', it.live) FROM it WHERE it.relforcerowsecurity
    UNION ALL
    SELECT 37, p.polname::text, format(
        'CREATE POLICY %%I ON %%s AS %%s FOR %%s TO %%s%%s%%s', p.polname, it.live,
        CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        (
            SELECT string_agg(CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.oid)) END, ', ')
            FROM unnest(p.polroles) AS r (oid)
        ),
        ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
    )
    FROM it INNER JOIN pg_policy AS p ON p.polrelid = it.oid
    UNION ALL
    SELECT DISTINCT 40, v.oid::regclass::text, format(
        'CREATE OR REPLACE VIEW %%I.%%I%%s AS %%s', vn.nspname, v.relname,
        ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid)
    )
    FROM it
    INNER JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = it.oid AND d.classid = 'pg_rewrite'::regclass
    INNER JOIN pg_rewrite AS r ON r.oid = d.objid
    INNER JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
    INNER JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
    UNION ALL
    SELECT 41, '', format('COMMENT ON TABLE %%s IS %%L', it.live, it.comment) FROM it WHERE it.comment IS NOT NULL
    UNION ALL
    SELECT 42, '', format('ALTER TABLE %%s DROP CONSTRAINT %%I', it.past, %(limit)s::text) FROM it
)
SELECT s.definition FROM steps AS s ORDER BY s.stage, s.place
