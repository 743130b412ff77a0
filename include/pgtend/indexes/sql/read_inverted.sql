-- The inverted indexes of a table, and what one that is built elsewhere needs to know: its keys, how each is taken apart, and which
-- rows have any.
SELECT
    c.relname::text AS name,
    encode(sha256(convert_to(pg_get_indexdef(c.oid), 'UTF8')), 'hex') AS definition_sha256,
    pg_relation_size(c.oid) AS size,
    part.keys,
    part.classes,
    coalesce(pg_get_expr(i.indpred, i.indrelid), 'TRUE') AS predicate
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_class AS t ON t.oid = i.indrelid
INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
INNER JOIN pg_am AS a ON a.oid = c.relam
CROSS JOIN LATERAL (
    SELECT
        array_agg(pg_get_indexdef(c.oid, given.place::int, FALSE) ORDER BY given.place) AS keys,
        array_agg(format('%%I.%%I', s.nspname, o.opcname) ORDER BY given.place) AS classes
    FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS given (class, place)
    INNER JOIN pg_opclass AS o ON o.oid = given.class
    INNER JOIN pg_namespace AS s ON s.oid = o.opcnamespace
) AS part
WHERE
    n.nspname = %(schema)s AND t.relname = %(table)s AND a.amname = 'gin' AND i.indisvalid AND c.relkind = 'i'
    -- A class with options takes keys apart otherwise.
    AND NOT EXISTS (SELECT FROM pg_attribute AS p WHERE p.attrelid = c.oid AND p.attoptions IS NOT NULL)
ORDER BY c.relname
