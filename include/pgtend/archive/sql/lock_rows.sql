-- Locks the old rows of some pages before it is asked whether anything points at them: from now on nothing can begin to.
SELECT count(*) AS rows
FROM (
    SELECT FROM ONLY {table} AS old
    WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
    FOR UPDATE
) AS locked
