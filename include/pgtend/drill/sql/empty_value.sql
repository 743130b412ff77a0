-- Empties one value, as a restore would that brought a row back changed. It says whether there was one.
WITH emptied AS (
    UPDATE ONLY {table} SET {column} = NULL
    WHERE ctid = (SELECT min(ctid) FROM ONLY {table} WHERE {column} IS NOT NULL)
    RETURNING 1
)
SELECT count(*)::int AS changed FROM emptied
