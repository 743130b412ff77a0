-- How many rows a table of the copy has.
SELECT count(*) AS rows FROM ONLY {table}
