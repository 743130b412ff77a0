-- Takes a month out of the archive in the transaction that puts its smaller twin there: readers see the one or the other.
ALTER TABLE {archive} DETACH PARTITION {partition}
