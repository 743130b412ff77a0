-- Counts the rows of a table and hashes them without regard to order. A sum and not an xor, in which two equal rows
-- would cancel each other; each row's hash is hashed again, because the hash of a record is a sum over its columns, in
-- which two rows that swapped a value would look as before. As text, because the hash of a bigint has 32 bits only.
-- Columns by name, because a restore may give an inherited table another order of them.
SELECT
    count(*) AS rows,
    COALESCE(sum(hashtextextended(hash_record_extended(ROW({columns}), 0)::text COLLATE "C", 0)), 0)::text AS digest
FROM ONLY {table}
