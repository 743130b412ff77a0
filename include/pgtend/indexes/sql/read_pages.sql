-- How many pages of a table were looked at so far, to keep within what may be read: known at once, of our own transaction alone.
SELECT pg_stat_get_xact_blocks_fetched(%(table)s::oid) AS pages
