-- Which databases a server has, and how many sessions are in each: an unfinished restore without any was killed.
SELECT d.datname::text AS name,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datid = d.oid)::int AS sessions
FROM pg_database AS d
ORDER BY d.datname
