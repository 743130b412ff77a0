-- Takes the limit away from a table that did not become partitioned: rows of later months are welcome again.
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}
