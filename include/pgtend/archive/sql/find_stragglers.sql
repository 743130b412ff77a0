-- Finds pages outside of those that were walked that still hold old rows: rows that changed move to another page, others came late.
SELECT DISTINCT (rest.place::text::point)[0]::bigint AS block
FROM (
    SELECT old.ctid AS place FROM ONLY {table} AS old
    WHERE old.ctid < %(first)s::tid AND {due}
    UNION ALL
    SELECT old.ctid AS place FROM ONLY {table} AS old
    WHERE old.ctid >= %(last)s::tid AND {due}
) AS rest
ORDER BY 1
LIMIT %(most)s::int
