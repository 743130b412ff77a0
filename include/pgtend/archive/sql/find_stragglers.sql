-- Finds the pages that still hold old rows after a walk: rows that changed move to another page, and others came late.
SELECT DISTINCT (old.ctid::text::point)[0]::bigint AS block
FROM ONLY {table} AS old
WHERE {due}
ORDER BY 1
LIMIT %(most)s::int
