-- Lists who may do what with everything that has rights, and who owns what is no relation; read_inventory.sql knows those owners.
-- Rights count where they are not what PostgreSQL gives by itself: a dump writes down no others, and of an extension no owner.
WITH foreigners AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
given AS (
    SELECT 'pg_namespace'::regclass AS classid, oid, 0 AS part, nspacl AS acl, acldefault('n', nspowner) AS plain FROM pg_namespace
    UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proacl, acldefault('f', proowner) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'pg_type'::regclass, oid, 0, typacl, acldefault('T', typowner) FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT 'pg_language'::regclass, oid, 0, lanacl, acldefault('l', lanowner) FROM pg_language
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, fdwacl, acldefault('F', fdwowner) FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, srvacl, acldefault('S', srvowner) FROM pg_foreign_server
    -- This is how PostgreSQL itself refers to a large object.
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, 0, lomacl, acldefault('L', lomowner) FROM pg_largeobject_metadata
    UNION ALL
    SELECT 'pg_class'::regclass, oid, 0, relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)
    FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, attacl, '{}' FROM pg_attribute WHERE attrelid >= 16384 AND NOT attisdropped
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, 0, defaclacl, NULL FROM pg_default_acl
),
found AS (
    SELECT 'right on ' || i.type AS kind, concat_ws('|', i.identity,
        (SELECT string_agg(concat_ws(' ', a.grantee::regrole, a.privilege_type, a.is_grantable), ','
                ORDER BY a.grantee::regrole::text COLLATE "C", a.privilege_type COLLATE "C", a.is_grantable)
         FROM aclexplode(g.acl) AS a)) AS definition
    FROM given AS g, pg_identify_object(g.classid, g.oid, g.part) AS i
    WHERE g.acl IS NOT NULL AND i.identity IS NOT NULL AND (g.plain IS NULL OR NOT (g.acl @> g.plain AND g.plain @> g.acl))
      AND NOT starts_with(i.identity, 'pg_') AND i.identity <> 'information_schema'
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = g.classid AND f.objid = g.oid)
    UNION ALL
    SELECT 'owner of ' || i.type, concat_ws('|', i.identity, s.refobjid::regrole)
    FROM pg_shdepend AS s, pg_identify_object(s.classid, s.objid, s.objsubid) AS i
    WHERE s.deptype = 'o' AND i.identity IS NOT NULL AND s.classid NOT IN ('pg_class'::regclass, 'pg_extension'::regclass)
      AND s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
      AND NOT starts_with(i.identity, 'pg_temp') AND NOT starts_with(i.identity, 'pg_toast_temp')
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = s.classid AND f.objid = s.objid)
)
SELECT kind, count(*)::int AS count,
    encode(sha256(convert_to(string_agg(definition, E'\n' ORDER BY definition COLLATE "C"), getdatabaseencoding())), 'hex') AS sha256
FROM found
GROUP BY kind
ORDER BY kind COLLATE "C"
