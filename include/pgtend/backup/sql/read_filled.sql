-- Names the columns of a table in which its statistics know of no NULL. A row that has one all the same is hashed right, and
-- slower.
SELECT attname::text AS name
FROM pg_stats
WHERE schemaname = %(schema)s AND tablename = %(table)s AND NOT inherited AND null_frac = 0
