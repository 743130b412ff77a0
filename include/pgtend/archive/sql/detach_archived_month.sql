-- Takes a month out of the archive without keeping its readers waiting.
ALTER TABLE {archive} DETACH PARTITION {partition} CONCURRENTLY
