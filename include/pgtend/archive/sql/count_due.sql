-- Counts what is old enough, month by month, and where in the file it lies: a walk need not visit any other page. Places are
-- compared as they are, and only the outermost ones are taken apart, because that is dear.
SELECT
    found.month,
    found.rows,
    (found.first_row::text::point)[0]::bigint AS first_block,
    (found.last_row::text::point)[0]::bigint AS last_block
FROM (
    SELECT {month} AS month, count(*) AS rows, min(old.ctid) AS first_row, max(old.ctid) AS last_row
    FROM ONLY {table} AS old
    WHERE {due}
    GROUP BY 1
) AS found
ORDER BY found.month
