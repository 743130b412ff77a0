-- Lists every kind of object with one digest of all their definitions, so that a copy can be held against it without
-- telling anybody what the definitions are. Names stand for oids; what belongs to an extension is the extension's affair.
-- Below 16384 are the thousands of functions and comments of PostgreSQL itself, each of which would be written out first.
WITH ours AS (
    SELECT n.oid, n.nspname
    FROM pg_namespace AS n
    WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
),
foreigners AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
relations AS (
    SELECT c.*, format('%%I.%%I', o.nspname, c.relname) AS called
    FROM pg_class AS c
    JOIN ours AS o ON o.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = 'pg_class'::regclass AND f.objid = c.oid)
),
found AS (
    SELECT 'schema' AS kind, o.nspname::text AS definition FROM ours AS o
    UNION ALL
    SELECT
        CASE r.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' END,
        concat_ws('|', r.called, r.relpersistence, r.relrowsecurity, r.relforcerowsecurity, pg_get_partkeydef(r.oid),
            pg_get_expr(r.relpartbound, r.oid),
            (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) FROM pg_inherits AS i WHERE i.inhrelid = r.oid),
            (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                a.attgenerated, pg_get_expr(v.adbin, v.adrelid), a.attstorage), ',' ORDER BY a.attname COLLATE "C")
             FROM pg_attribute AS a LEFT JOIN pg_attrdef AS v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
             WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM relations AS r WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.called || '|' || pg_get_viewdef(r.oid)
    FROM relations AS r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'sequence', concat_ws('|', r.called, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle)
    FROM relations AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
    UNION ALL
    SELECT 'index', concat_ws('|', r.called, pg_get_indexdef(r.oid), i.indisclustered, i.indisreplident)
    FROM relations AS r JOIN pg_index AS i ON i.indexrelid = r.oid WHERE i.indisvalid
    UNION ALL
    SELECT 'constraint', concat_ws('|', r.called, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
    FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid WHERE c.contype <> 'n'
    UNION ALL
    SELECT 'trigger', concat_ws('|', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', concat_ws('|', pg_get_ruledef(w.oid), w.ev_enabled)
    FROM pg_rewrite AS w JOIN relations AS r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', concat_ws('|', r.called, p.polname, p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
    UNION ALL
    SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END,
        concat_ws('|', p.oid::regprocedure::text, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END)
    FROM pg_proc AS p JOIN ours AS o ON o.oid = p.pronamespace
    WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = 'pg_proc'::regclass AND f.objid = p.oid)
    UNION ALL
    SELECT 'type', concat_ws('|', t.oid::regtype::text, t.typtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
        (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid),
        (SELECT string_agg(pg_get_constraintdef(c.oid), ',' ORDER BY c.conname COLLATE "C") FROM pg_constraint AS c WHERE c.contypid = t.oid))
    FROM pg_type AS t JOIN ours AS o ON o.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'e', 'r')
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = 'pg_type'::regclass AND f.objid = t.oid)
    UNION ALL
    SELECT 'extension', e.extname || '|' || e.extversion FROM pg_extension AS e
    UNION ALL
    SELECT 'event trigger', concat_ws('|', t.evtname, t.evtevent, t.evtfoid::regproc, t.evtenabled, t.evttags) FROM pg_event_trigger AS t
    WHERE NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = 'pg_event_trigger'::regclass AND f.objid = t.oid)
    UNION ALL
    SELECT 'foreign server', s.srvname::text FROM pg_foreign_server AS s
    UNION ALL
    SELECT 'publication', concat_ws('|', p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate) FROM pg_publication AS p
    UNION ALL
    SELECT 'statistics', pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext AS s
    UNION ALL
    SELECT 'collation', concat_ws('|', o.nspname, c.collname, c.collprovider, c.collcollate)
    FROM pg_collation AS c JOIN ours AS o ON o.oid = c.collnamespace
    UNION ALL
    SELECT 'large object', l.oid::text FROM pg_largeobject_metadata AS l
    UNION ALL
    SELECT 'comment', concat_ws('|', i.type, i.identity, d.description)
    FROM pg_description AS d, pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
    WHERE d.objoid >= 16384 AND i.schema IN (SELECT nspname FROM ours)
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = d.classoid AND f.objid = d.objoid)
    UNION ALL
    SELECT 'grant', concat_ws('|', r.called, a.grantee::regrole, a.privilege_type, a.is_grantable)
    FROM relations AS r, aclexplode(COALESCE(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner))) AS a
    WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT 'owner', concat_ws('|', r.called, r.relowner::regrole) FROM relations AS r WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
),
plain AS (
    -- PostgreSQL writes `x IN ('a', 'b')` over varchar in one way when it was typed and in another when it was restored,
    -- with casts and brackets in other places. What it means is the same, so both are digested without them.
    SELECT kind, CASE
        WHEN definition LIKE '%%ARRAY[%%::character varying%%'
        THEN regexp_replace(definition, '::character varying|::text\[\]|::text|[()]', '', 'g')
        ELSE definition
    END AS definition
    FROM found
    WHERE definition IS NOT NULL
)
SELECT kind, count(*)::int AS count, encode(sha256(convert_to(string_agg(definition, E'\n' ORDER BY definition COLLATE "C"), getdatabaseencoding())), 'hex') AS sha256
FROM plain
GROUP BY kind
ORDER BY kind COLLATE "C"
