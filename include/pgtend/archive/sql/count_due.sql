-- Counts what is old enough, month by month, and where in the file it lies: a walk need not visit any other page. By day first,
-- because the day of a row is cheaper to tell than its month. Places are compared as they are, and only the outermost ones are
-- taken apart, because that is dear. Of a large table only some pages are read.
SELECT
    found.month,
    found.rows,
    (found.first_row::text::point)[0]::bigint AS first_block,
    (found.last_row::text::point)[0]::bigint AS last_block
FROM (
    SELECT
        date_trunc('month', days.day::timestamp)::date AS month,
        sum(days.rows)::bigint AS rows,
        min(days.first_row) AS first_row,
        max(days.last_row) AS last_row
    FROM (
        SELECT {day} AS day, count(*) AS rows, min(old.ctid) AS first_row, max(old.ctid) AS last_row
        FROM ONLY {table} AS old {sampled}
        WHERE {due}
        GROUP BY 1
    ) AS days
    GROUP BY 1
) AS found
ORDER BY found.month
