-- Counts what was brought back.
SELECT count(*) AS rows FROM ONLY {table}
