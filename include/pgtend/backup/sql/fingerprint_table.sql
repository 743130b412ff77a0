-- Counts the rows of a table and hashes them without regard to order. A sum and not an xor, in which two equal rows
-- would cancel each other. Columns by name, because a restore may give an inherited table another order of them.
SELECT
    count(*) AS rows,
    COALESCE(sum({hashed}), 0)::text AS digest
FROM ONLY {table}
