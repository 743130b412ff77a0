-- Deletes the rows that were copied. The transaction sees them as they were when it began, and if anybody changed one since, this
-- fails: what is deleted is exactly what was copied.
DELETE FROM ONLY {table} AS old
WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
