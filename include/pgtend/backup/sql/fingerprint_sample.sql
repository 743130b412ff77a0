-- Counts all rows of a table and hashes those whose key falls into the sample, as it is done for whole tables. Keys decide
-- and not the place on disk, because a restored table has the same keys in other places.
SELECT
    count(*) AS rows,
    COALESCE(sum({hashed}) FILTER (WHERE mod({key}, {one_in}) = 0), 0)::text AS digest
FROM ONLY {table}
