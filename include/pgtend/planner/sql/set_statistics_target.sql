-- Lets the planner keep more (or fewer) common values of one column; counts from the next ANALYZE on.
ALTER TABLE ONLY {table} ALTER COLUMN {column} SET STATISTICS {target}
