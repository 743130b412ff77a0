-- By which columns no two rows of a month may be alike. An index of expressions, or of some rows only, cannot be asked about so.
SELECT ARRAY(
    SELECT a.attname::text
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts
    ORDER BY k.place
) AS columns
FROM pg_index AS i
WHERE i.indrelid = %(relation)s::bigint::oid AND i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL
ORDER BY i.indexrelid
