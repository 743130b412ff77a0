-- The largest tables at the last look, and how large each was a month before.
-- on: ledger
WITH newest AS (
    SELECT max(t.at) AS at FROM reporting.health_tables AS t
    WHERE t.database = %(database)s::text AND t.at >= %(since)s::timestamptz
),
oldest AS (
    SELECT DISTINCT ON (t.name) t.name, t.size, t.at
    FROM reporting.health_tables AS t
    WHERE t.database = %(database)s::text AND t.at >= %(since)s::timestamptz
    ORDER BY t.name, t.at
)
SELECT
    t.name,
    t.size,
    t.rows,
    t.dead,
    t.dead_ratio::float8 AS dead_ratio,
    t.stale_ratio::float8 AS stale_ratio,
    t.vacuumed_at,
    o.size AS earlier_size,
    o.at AS earlier_at,
    t.at
FROM reporting.health_tables AS t
INNER JOIN newest AS n ON n.at = t.at
LEFT JOIN oldest AS o ON o.name = t.name
WHERE t.database = %(database)s::text
ORDER BY t.size DESC, t.name
