-- How many finished WAL files wait for the archive.
SELECT (count(*) FILTER (WHERE f.name LIKE '%%.ready'))::int AS ready
FROM pg_ls_archive_statusdir() AS f
