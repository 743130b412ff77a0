-- Counts the old rows that stay because the archive has rows with their keys.
SELECT count(*) AS rows FROM ONLY {table} AS old WHERE {due} AND NOT ({free})
