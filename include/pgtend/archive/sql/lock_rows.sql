-- Locks the old rows of some pages before it is asked whether anything points at them: from now on nothing can begin to. Which rows
-- that are is remembered to the end of the transaction: one that comes after them is not locked, and must not leave with them.
SELECT set_config('pgtend.locked', COALESCE(array_agg(locked.place), ARRAY[]::tid[])::text, TRUE) IS NOT NULL AS is_remembered
FROM (
    SELECT old.ctid AS place FROM ONLY {table} AS old
    WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
    FOR UPDATE
) AS locked
