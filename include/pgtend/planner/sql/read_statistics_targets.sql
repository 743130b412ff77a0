-- The statistics target of each column of some tables, to compare with what the fleet file wants; -1 is the server's default
-- (kept as NULL since 17).
SELECT
    a.attrelid::bigint AS oid,
    a.attname::text AS column_name,
    coalesce(a.attstattarget, -1)::int AS target
FROM pg_attribute AS a
WHERE
    a.attrelid = ANY (%(tables)s::oid[])
    AND a.attnum > 0
    AND NOT a.attisdropped
