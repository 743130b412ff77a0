-- Removes the wider key of a table that was not made partitioned, or what an interrupted build left behind.
DROP INDEX CONCURRENTLY IF EXISTS {index}
