-- Lets the server look for a file of the host that everybody may read.
SELECT (pg_stat_file(%(path)s, true)).size IS NOT NULL AS was_reached
