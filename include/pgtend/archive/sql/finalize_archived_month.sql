-- Ends taking a month out of the archive that was interrupted.
ALTER TABLE {archive} DETACH PARTITION {partition} FINALIZE
