-- Counts the rows of a table and hashes their text, as it was done before records could be hashed (PostgreSQL 13) and in
-- backups of our first format. Summed as whole numbers, which is the same sum and much cheaper than that of decimals.
SELECT
    count(*) AS rows,
    COALESCE(sum(hashtextextended(ROW({columns})::text, 0)), 0)::text AS digest
FROM ONLY {table}
