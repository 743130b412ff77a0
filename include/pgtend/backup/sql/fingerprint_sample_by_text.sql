-- Counts all rows of a table and hashes the text of those whose key falls into the sample, as it was done before records
-- could be hashed (PostgreSQL 13) and in backups of our first format.
SELECT
    count(*) AS rows,
    COALESCE(
        sum(hashtextextended(ROW({columns})::text, 0))
        FILTER (WHERE mod(hashtextextended(ROW({key})::text, 0), {one_in}) = 0),
        0
    )::text AS digest
FROM ONLY {table}
