-- What the first page says of health: how each database stood at the last look, and what was worst.
-- on: ledger
SELECT known.database, known.level, known.looked_at, known.is_stale,
    count(bad.metric)::integer AS troubles, min(bad.metric) AS metric, min(bad.reason) AS reason
FROM reporting.health_databases AS known
LEFT JOIN LATERAL (
    SELECT found.metric, found.reason FROM reporting.health AS found
    WHERE found.database = known.database AND found.level = known.level AND known.level <> 'ok'
    ORDER BY found.metric
) AS bad ON true
WHERE known.database = ANY (%(databases)s::text[])
GROUP BY known.database, known.level, known.looked_at, known.is_stale
