-- What an index is, from the word USING on: enough to build the same one on a sample, whatever the names involved. Besides, the
-- same for the rows of the sample alone, when there are others beside them that only keep its pages full.
SELECT
    s.oid::bigint AS oid,
    s.definition,
    s.shape,
    left(s.shape, length(s.shape) - length(s.predicate))
    || CASE WHEN s.predicate = '' THEN ' WHERE ' ELSE '(' || s.predicate || ') AND ' END || 'pgtend_filler IS NULL' AS padded_shape,
    coalesce(nullif(s.predicate, ''), 'TRUE') AS predicate
FROM (
    SELECT
        d.oid,
        pg_get_indexdef(d.oid) AS definition,
        coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
        substr(
            pg_get_indexdef(d.oid),
            length(
                format(
                    'CREATE %%sINDEX %%I ON %%s%%I.%%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname,
                    CASE WHEN t.relkind = 'p' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname
                )
            ) + 1
        ) AS shape
    FROM unnest(%(indexes)s::bigint[]) AS given (number)
    CROSS JOIN LATERAL (SELECT given.number::oid AS oid) AS d
    INNER JOIN pg_index AS i ON i.indexrelid = d.oid
    INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    INNER JOIN pg_class AS t ON t.oid = i.indrelid
    INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
) AS s
