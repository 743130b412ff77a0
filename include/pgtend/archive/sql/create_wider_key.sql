-- Builds, beside everybody's work, the key that a partitioned table needs: its own, and the column that says how old a row is.
CREATE UNIQUE INDEX CONCURRENTLY {new} ON {table} ({columns})
