-- Lists what read_inventory.sql does not know: rarer kinds of objects, composite types, and what can be set of a table. Each kind has one
-- digest of all definitions, or of all identities where the definition of a kind is in no function of PostgreSQL.
WITH foreigners AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
rare AS (
    SELECT 'pg_operator'::regclass AS classid, oid, '' AS content FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, '' FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, '' FROM pg_opfamily
    UNION ALL SELECT 'pg_cast'::regclass, oid, castcontext::text FROM pg_cast
    UNION ALL SELECT 'pg_conversion'::regclass, oid, '' FROM pg_conversion
    UNION ALL SELECT 'pg_language'::regclass, oid, '' FROM pg_language
    UNION ALL SELECT 'pg_transform'::regclass, oid, '' FROM pg_transform
    UNION ALL SELECT 'pg_am'::regclass, oid, '' FROM pg_am
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, '' FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, '' FROM pg_ts_template
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictinitoption FROM pg_ts_dict
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid,
        (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapdict::regdictionary), ',' ORDER BY m.maptokentype, m.mapseqno)
         FROM pg_ts_config_map AS m WHERE m.mapcfg = c.oid)
    FROM pg_ts_config AS c
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, array_to_string(fdwoptions, ',') FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, '' FROM pg_user_mappings
    UNION ALL SELECT 'pg_publication_rel'::regclass, oid, concat_ws(' ', pg_get_expr(prqual, prrelid),
        (SELECT string_agg(quote_ident(a.attname), ',' ORDER BY a.attname COLLATE "C")
         FROM pg_attribute AS a WHERE a.attrelid = prrelid AND a.attnum = ANY (prattrs)))
    FROM pg_publication_rel
    UNION ALL SELECT 'pg_publication_namespace'::regclass, oid, '' FROM pg_publication_namespace
),
relations AS (
    SELECT c.*, format('%%I.%%I', n.nspname, c.relname) AS called
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND NOT starts_with(n.nspname, 'pg_')
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = 'pg_class'::regclass AND f.objid = c.oid)
),
found AS (
    SELECT i.type AS kind, concat_ws('|', i.identity, r.content) AS definition
    FROM rare AS r, pg_identify_object(r.classid, r.oid, 0) AS i
    WHERE r.oid >= 16384 AND i.identity IS NOT NULL AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = r.classid AND f.objid = r.oid)
    UNION ALL
    SELECT 'composite type', concat_ws('|', r.called,
        (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)), ',' ORDER BY a.attname COLLATE "C")
         FROM pg_attribute AS a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM relations AS r WHERE r.relkind = 'c'
    UNION ALL
    SELECT 'setting of a relation', concat_ws('|', r.called,
        (SELECT string_agg(option, ',' ORDER BY option COLLATE "C") FROM unnest(r.reloptions) AS option), nullif(r.relreplident, 'd'))
    FROM relations AS r WHERE r.reloptions IS NOT NULL OR r.relreplident NOT IN ('d', 'n')
    UNION ALL
    SELECT 'setting of a column', concat_ws('|', r.called, quote_ident(a.attname), nullif(a.attstattarget, -1), a.attcompression,
        (SELECT string_agg(option, ',' ORDER BY option COLLATE "C") FROM unnest(a.attoptions) AS option))
    FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid
    WHERE r.relkind IN ('r', 'p', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped
      AND (COALESCE(a.attstattarget, -1) <> -1 OR a.attcompression <> '' OR a.attoptions IS NOT NULL)
    UNION ALL
    SELECT 'comment on ' || i.type, concat_ws('|', i.identity, d.description)
    FROM pg_description AS d, pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
    WHERE d.objoid >= 16384 AND i.schema IS NULL AND i.identity IS NOT NULL
      AND d.classoid NOT IN ('pg_extension'::regclass, 'pg_language'::regclass)
      AND NOT EXISTS (SELECT FROM foreigners AS f WHERE f.classid = d.classoid AND f.objid = d.objoid)
)
SELECT kind, count(*)::int AS count,
    encode(sha256(convert_to(string_agg(definition, E'\n' ORDER BY definition COLLATE "C"), getdatabaseencoding())), 'hex') AS sha256
FROM found
GROUP BY kind
ORDER BY kind COLLATE "C"
