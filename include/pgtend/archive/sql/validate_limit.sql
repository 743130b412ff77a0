-- Reads all rows, beside everybody's work, so that the table needs not be read again under a lock when it becomes a partition.
ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}
