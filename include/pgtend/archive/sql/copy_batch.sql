-- Copies the old rows of some pages into the archive, as this transaction sees them. Columns by name, because positions differ.
INSERT INTO {archive} ({columns})
SELECT {columns}
FROM ONLY {table} AS old
WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
