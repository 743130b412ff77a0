-- What the ledger remembers of the indexes of a database: their last rebuild, how they grew since, how much they are used.
-- on: ledger
WITH last_rebuild AS (
    SELECT DISTINCT ON (r.schema_name, r.index_name)
        r.schema_name,
        r.index_name,
        r.definition,
        r.at,
        r.size_after,
        r.rows
    FROM reporting.index_rebuilds AS r
    WHERE r.database = %(database)s AND r.outcome = 'proved' AND r.at > now() - interval '400 days'
    ORDER BY r.schema_name, r.index_name, r.at DESC
),
settled AS (
    -- Between one and eight weeks after a rebuild an index has the size it keeps.
    SELECT
        u.schema_name,
        u.index_name,
        percentile_cont(0.5) WITHIN GROUP (
            ORDER BY u.size::float8 * l.rows / nullif(l.size_after * u.rows, 0)
        ) AS growth
    FROM reporting.index_uses AS u
    INNER JOIN last_rebuild AS l ON l.schema_name = u.schema_name AND l.index_name = u.index_name
    WHERE
        u.database = %(database)s
        AND u.at BETWEEN l.at + interval '7 days' AND l.at + interval '56 days'
        AND u.rows > 0 AND l.rows > 0 AND l.size_after > 0
    GROUP BY u.schema_name, u.index_name
),
use AS (
    SELECT
        u.schema_name,
        u.index_name,
        sum(u.scans) / 28.0 AS scans_a_day
    FROM reporting.index_uses AS u
    WHERE u.database = %(database)s AND u.at > now() - interval '28 days'
    GROUP BY u.schema_name, u.index_name
)
SELECT
    s.schema_name,
    s.index_name,
    coalesce(l.definition, s.definition) AS definition,
    l.at AS rebuilt_at,
    l.size_after AS rebuilt_size,
    l.rows AS rebuilt_rows,
    settled.growth AS settled_growth,
    coalesce(use.scans_a_day, 0)::float8 AS scans_a_day
FROM reporting.indexes AS s
LEFT JOIN last_rebuild AS l ON l.schema_name = s.schema_name AND l.index_name = s.index_name
LEFT JOIN settled ON settled.schema_name = s.schema_name AND settled.index_name = s.index_name
LEFT JOIN use ON use.schema_name = s.schema_name AND use.index_name = s.index_name
WHERE s.database = %(database)s
