-- The largest tables of one database as they were last seen, and how they were four weeks before.
-- on: ledger
SELECT newest.name, newest.at, newest.size, newest.rows, newest.dead, newest.dead_ratio::double precision AS dead_ratio,
    newest.stale_ratio::double precision AS stale_ratio, newest.vacuumed_at, before.size AS size_before
FROM (
    SELECT DISTINCT ON (name) name, at, size, rows, dead, dead_ratio, stale_ratio, vacuumed_at
    FROM reporting.health_tables
    WHERE database = %(database)s::text AND at >= %(now)s::timestamptz - interval '3 days'
      AND (%(name)s::text = '' OR name = %(name)s::text)
    ORDER BY name, at DESC
) AS newest
LEFT JOIN (
    SELECT DISTINCT ON (name) name, size
    FROM reporting.health_tables
    WHERE database = %(database)s::text AND at < %(now)s::timestamptz - interval '27 days'
      AND at >= %(now)s::timestamptz - interval '35 days'
    ORDER BY name, at DESC
) AS before USING (name)
ORDER BY newest.size DESC LIMIT %(most)s::integer
