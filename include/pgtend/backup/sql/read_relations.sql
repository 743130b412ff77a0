-- Lists everything that pg_dump will want to read and whether our role may, in one statement so that what is missing can
-- be said all at once. Members of an extension are left to the extension, except tables whose rows it wants dumped.
WITH unsteady AS (
    -- Numbers of an enum's values are others after a restore, and with them the hash that chooses the partition: pg_dump
    -- gives such rows to the root of the partitions.
    SELECT p.partrelid FROM pg_partitioned_table AS p
    WHERE EXISTS (
        SELECT FROM pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod
        WHERE o.oid = ANY (p.partclass) AND o.opcname = 'enum_ops' AND m.amname = 'hash'
          AND o.opcnamespace = 'pg_catalog'::regnamespace
    )
)
SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    CASE c.relkind
        WHEN 'p' THEN 'partitioned table'
        WHEN 'S' THEN 'sequence'
        WHEN 'f' THEN 'foreign table'
        ELSE 'table'
    END AS kind,
    format('%%I.%%I', n.nspname, c.relname) AS sql_name,
    quote_ident(n.nspname) AS sql_schema,
    c.relispartition AS is_partition,
    CASE WHEN c.relispartition AND EXISTS (
        SELECT FROM unsteady AS u WHERE u.partrelid IN (SELECT relid FROM pg_partition_ancestors(c.oid))
    ) THEN pg_partition_root(c.oid)::bigint END AS dealt_by,
    c.relpersistence = 'u' AS is_unlogged,
    e.oid IS NOT NULL AS belongs_to_extension,
    CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE 0 END AS size,
    has_schema_privilege(n.oid, 'USAGE') AS may_use_schema,
    has_table_privilege(c.oid, 'SELECT') AS may_select,
    c.relrowsecurity AND row_security_active(c.oid) AS is_filtered,
    ARRAY(
        SELECT a.attname::text FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        ORDER BY a.attname COLLATE "C"
    ) AS columns,
    -- Types of PostgreSQL's own by name, any other as none: somebody else's may be called the same.
    ARRAY(
        SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' THEN t.typname::text ELSE '' END
        FROM pg_attribute AS a
        JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        ORDER BY a.attname COLLATE "C"
    ) AS types,
    ARRAY(
        SELECT a.attnotnull FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        ORDER BY a.attname COLLATE "C"
    ) AS required,
    ARRAY(
        SELECT a.attname::text FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
        ORDER BY a.attname COLLATE "C"
    ) AS key
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
WHERE c.relkind IN ('r', 'p', 'S', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND NOT starts_with(n.nspname, 'pg_')
  AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))
ORDER BY c.oid
