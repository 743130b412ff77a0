-- Removes what an unfinished rebuild left, without keeping anybody out.
DROP INDEX CONCURRENTLY IF EXISTS {index}
