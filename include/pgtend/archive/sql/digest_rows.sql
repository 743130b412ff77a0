-- Counts the rows of a month and sums the hashes of their content, as the moving statement did when it took them.
SELECT
    count(*) AS rows,
    COALESCE(sum({hashed}), 0)::text AS checksum,
    COALESCE(bool_and({within}), TRUE) AS is_one_month
FROM ONLY {table}
