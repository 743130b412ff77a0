-- Counts what is old enough, month by month, and where in the file it lies: a walk need not visit any other page.
SELECT
    {month} AS month,
    count(*) AS rows,
    min((ctid::text::point)[0])::bigint AS first_block,
    max((ctid::text::point)[0])::bigint AS last_block
FROM ONLY {table} AS old
WHERE {due}
GROUP BY 1
ORDER BY 1
