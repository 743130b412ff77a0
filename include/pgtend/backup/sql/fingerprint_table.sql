-- Counts the rows of a table and hashes their text without regard to order. A sum and not an xor, in which two equal
-- rows would cancel each other; columns by name, because a restore may give an inherited table another order of them.
SELECT
    count(*) AS rows,
    COALESCE(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)::text AS digest
FROM ONLY {table}
