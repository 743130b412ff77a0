-- Tells of which months the old rows of some pages are.
SELECT DISTINCT {month} AS month
FROM ONLY {table} AS old
WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
ORDER BY 1
