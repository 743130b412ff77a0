-- Counts all rows of a table and hashes those whose key falls into the sample, as it is done for whole tables. Keys decide
-- and not the place on disk, because a restored table has the same keys in other places.
SELECT
    count(*) AS rows,
    COALESCE(
        sum(hashtextextended(hash_record_extended(ROW({columns}), 0)::text COLLATE "C", 0))
        FILTER (WHERE mod(hashtextextended(hash_record_extended(ROW({key}), 0)::text COLLATE "C", 0), {one_in}) = 0),
        0
    )::text AS digest
FROM ONLY {table}
