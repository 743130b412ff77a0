-- How many rows lie on each page of a stretch of a table. Pages on which nothing lives have a row too.
SELECT
    p.page,
    count(s.block)::int AS rows
FROM generate_series(%(low)s::bigint, %(high)s::bigint - 1) AS p (page)
LEFT JOIN (
    SELECT (t.ctid::text::point)[0]::bigint AS block
    FROM ONLY {table} AS t
    WHERE t.ctid >= format('(%%s,0)', %(low)s::bigint)::tid AND t.ctid < format('(%%s,0)', %(high)s::bigint)::tid
) AS s ON s.block = p.page
GROUP BY p.page
ORDER BY p.page
