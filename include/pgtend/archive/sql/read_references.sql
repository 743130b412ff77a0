-- The foreign keys of other tables that point at this one, or at one of its partitions alone, and what each does when a row of ours
-- is deleted.
SELECT
    con.conname::text AS name,
    format('%%I.%%I', n.nspname, child.relname) AS child,
    CASE con.confdeltype
        WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION'
    END AS on_delete,
    n.nspname::text AS child_schema,
    child.relname::text AS child_name,
    ARRAY(SELECT a.attname::text FROM unnest(con.conkey) WITH ORDINALITY AS k (attnum, place)
          INNER JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.attnum ORDER BY k.place) AS columns,
    ARRAY(SELECT a.attname::text FROM unnest(con.confkey) WITH ORDINALITY AS k (attnum, place)
          INNER JOIN pg_attribute AS a ON a.attrelid = con.confrelid AND a.attnum = k.attnum ORDER BY k.place) AS referenced,
    EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = con.conrelid AND i.indisvalid AND i.indkey[0] = con.conkey[1]
    ) AS is_indexed,
    has_table_privilege(con.conrelid, 'SELECT') AND has_schema_privilege(child.relnamespace, 'USAGE') AS may_read
FROM pg_constraint AS con
INNER JOIN pg_class AS child ON child.oid = con.conrelid
INNER JOIN pg_namespace AS n ON n.oid = child.relnamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.confrelid IN (
    SELECT %(relation)s::bigint::oid
    UNION
    SELECT t.relid FROM pg_partition_tree(%(relation)s::bigint::oid::regclass) AS t
)
ORDER BY child, con.conname
