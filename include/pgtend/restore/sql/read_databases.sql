-- Which databases a server has, and how many sessions are in each: an unfinished restore without any was killed.
-- A name need not be in the encoding of this database, so it comes as the bytes that it is.
SELECT namesend(d.datname) AS kept_name,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datid = d.oid)::int AS sessions
FROM pg_database AS d
ORDER BY d.datname
