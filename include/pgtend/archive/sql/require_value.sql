-- Promises of a rewritten month what the archive promises, as a partition has to.
ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL
