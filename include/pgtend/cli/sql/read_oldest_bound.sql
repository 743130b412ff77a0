-- The same from the planner's histogram, where no index gives it at once; only the age leaves the server.
SELECT now() - (s.histogram_bounds::text::timestamptz[])[1] AS age
FROM pg_stats AS s
WHERE s.schemaname = %(schema)s AND s.tablename = %(name)s AND s.attname = %(column)s
ORDER BY s.inherited DESC
LIMIT 1
