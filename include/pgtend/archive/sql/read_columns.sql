-- The columns of a table in the order of their names: positions differ between tables, and are never relied upon.
-- A domain counts as the type it is made from, and is hashed by its looks, as every type that is not PostgreSQL's own.
SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS declared,
    b.typname::text AS type,
    CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' THEN t.typname::text ELSE '' END AS hashed_as,
    a.attnotnull AS is_required,
    a.attidentity <> '' AS is_identity,
    a.attgenerated::text AS generated,
    a.attnum::int AS place
FROM pg_attribute AS a
INNER JOIN pg_type AS t ON t.oid = a.atttypid
INNER JOIN pg_type AS b ON b.oid = CASE
    WHEN t.typtype = 'd' THEN (
        WITH RECURSIVE below (oid, base) AS (
            SELECT t.oid, t.typbasetype
            UNION ALL
            SELECT inner_type.oid, inner_type.typbasetype
            FROM below
            INNER JOIN pg_type AS inner_type ON inner_type.oid = below.base
        )
        SELECT below.oid FROM below WHERE below.base = 0
    )
    ELSE t.oid
END
WHERE a.attrelid = %(relation)s::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attname COLLATE "C"
