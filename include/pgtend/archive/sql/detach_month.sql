-- Takes a whole month out of the live table without keeping anybody waiting: it waits itself, for those who read.
ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY
