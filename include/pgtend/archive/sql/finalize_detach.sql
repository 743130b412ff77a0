-- Ends a detach that was interrupted, or that waited too long for a reader.
ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE
