-- What the key of a B-tree consists of, if rows with equal keys may share its entries, and nothing if not: those of unique indexes
-- do not, nor where other columns are carried along, or where equal values may look different. Besides, how to ask it for one key.
SELECT
    'pgtend_' || k.place AS name,
    k.expression,
    format('(%%s)%%s OPERATOR(%%I.%%s) pgtend_k.pgtend_%%s', k.expression, k.collation, k.schema, k.operator, k.place) AS equal,
    format('(%%s) IS NULL', k.expression) AS absent
FROM (
    SELECT
        n.place,
        pg_get_indexdef(i.indexrelid, n.place, FALSE) AS expression,
        coalesce(' COLLATE ' || quote_ident(ls.nspname) || '.' || quote_ident(l.collname), '') AS collation,
        ps.nspname AS schema,
        p.oprname AS operator,
        bool_and(
            coalesce(l.collisdeterministic, TRUE)
            AND EXISTS (
                SELECT FROM pg_amproc AS f
                WHERE
                    f.amprocfamily = o.opcfamily AND f.amprocnum = 4
                    AND f.amproclefttype = o.opcintype AND f.amprocrighttype = o.opcintype
            )
        ) OVER () AS looks_equal
    FROM pg_index AS i
    INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    INNER JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree'
    CROSS JOIN generate_series(1, i.indnkeyatts::int) AS n (place)
    INNER JOIN pg_opclass AS o ON o.oid = i.indclass[n.place - 1]
    LEFT JOIN pg_collation AS l ON l.oid = i.indcollation[n.place - 1]
    LEFT JOIN pg_namespace AS ls ON ls.oid = l.collnamespace
    INNER JOIN pg_amop AS e
        ON
            e.amopfamily = o.opcfamily AND e.amopstrategy = 3
            AND e.amoplefttype = o.opcintype AND e.amoprighttype = o.opcintype
    INNER JOIN pg_operator AS p ON p.oid = e.amopopr
    INNER JOIN pg_namespace AS ps ON ps.oid = p.oprnamespace
    WHERE
        i.indexrelid = %(index)s::oid AND NOT i.indisunique AND i.indnatts = i.indnkeyatts
        AND NOT EXISTS (
            SELECT FROM pg_options_to_table(c.reloptions) AS s
            WHERE s.option_name = 'deduplicate_items' AND NOT s.option_value::boolean
        )
) AS k
WHERE k.looks_equal
ORDER BY k.place
