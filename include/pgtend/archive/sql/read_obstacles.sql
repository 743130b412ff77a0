-- What keeps a table from becoming partitioned by one of its columns without anybody noticing. Each kind has a name and a word about
-- whom it concerns; what it means to people is decided elsewhere.
WITH it AS (
    SELECT c.oid, c.reltype, c.reloftype, c.relreplident, c.relispartition, a.attnum AS time, a.attnotnull AS is_required
    FROM pg_class AS c
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = %(time)s::text
    WHERE c.oid = %(relation)s::bigint::oid
), depends AS (
    SELECT d.classid, d.objid, d.objsubid, r.ev_class, v.relkind, v.relowner
    FROM it
    INNER JOIN pg_depend AS d ON d.deptype = 'n' AND (
        (d.refclassid = 'pg_class'::regclass AND d.refobjid = it.oid)
        OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (it.reltype, (SELECT t.typarray FROM pg_type AS t WHERE t.oid = it.reltype)))
    )
    LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_class AS v ON v.oid = r.ev_class
)
SELECT 'nullable' AS kind, '' AS name FROM it WHERE NOT is_required
UNION
SELECT 'reference', format('%%s (%%s)', con.conrelid::regclass, con.conname)
FROM it INNER JOIN pg_constraint AS con ON con.confrelid = it.oid AND con.contype = 'f'
UNION
SELECT 'unique', i.indexrelid::regclass::text
FROM it INNER JOIN pg_index AS i ON i.indrelid = it.oid AND i.indisunique AND NOT i.indisprimary
WHERE it.time <> ALL ((i.indkey::int2[])[0:i.indnkeyatts - 1])
UNION
SELECT CASE con.contype WHEN 'x' THEN 'exclusion' WHEN 'f' THEN 'unvalidated' ELSE 'deferrable' END, con.conname
FROM it INNER JOIN pg_constraint AS con ON con.conrelid = it.oid
WHERE con.contype = 'x' OR (con.contype IN ('p', 'u') AND con.condeferrable) OR (con.contype = 'f' AND NOT con.convalidated)
UNION
SELECT 'trigger', t.tgname
FROM it INNER JOIN pg_trigger AS t ON t.tgrelid = it.oid AND NOT t.tgisinternal
WHERE t.tgconstraint <> 0 OR (t.tgtype & 1 <> 0 AND (t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL))
UNION
SELECT 'identity', '' FROM it WHERE relreplident <> 'd'
UNION
SELECT 'typed', '' FROM it
WHERE reloftype <> 0 OR (NOT relispartition AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = it.oid))
UNION
SELECT 'view', format('%%s owned by %%s', d.ev_class::regclass, d.relowner::regrole)
FROM depends AS d WHERE d.relkind = 'v' AND NOT pg_has_role(d.relowner, 'USAGE')
UNION
SELECT 'dependent', pg_describe_object(d.classid, d.objid, d.objsubid)
FROM it CROSS JOIN depends AS d
WHERE d.classid <> ALL (ARRAY['pg_constraint'::regclass, 'pg_class'::regclass, 'pg_publication_rel'::regclass])
    AND NOT (d.classid = 'pg_rewrite'::regclass AND d.relkind = 'v')
    AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND t.tgrelid = it.oid)
    AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid AND p.polrelid = it.oid)
    AND NOT EXISTS (SELECT FROM pg_attrdef AS f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adrelid = it.oid)
    AND NOT EXISTS (SELECT FROM pg_type AS t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND t.typrelid = it.oid)
ORDER BY 1, 2
