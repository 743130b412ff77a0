-- Counts all rows of a table and hashes those whose key falls into the sample. Keys decide and not the place on disk,
-- because a restored table has the same keys in other places.
SELECT
    count(*) AS rows,
    COALESCE(
        sum(hashtextextended(ROW({columns})::text, 0)::numeric)
        FILTER (WHERE mod(hashtextextended(ROW({key})::text, 0), {one_in}) = 0),
        0
    )::text AS digest
FROM ONLY {table}
