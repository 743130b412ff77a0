-- A value that a column really holds, to run a statement with: from the copy, in memory, never written down.
SELECT {column}::text AS value
FROM {table}
WHERE {column} IS NOT NULL
OFFSET %(place)s
LIMIT 1
