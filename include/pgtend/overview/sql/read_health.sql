-- Everything that is watched in one database, as it stood at the last look.
-- on: ledger
SELECT metric, coalesce(unit, '') AS unit, level, value, coalesce(about, '') AS about, reason, since, looked_at
FROM reporting.health
WHERE database = %(database)s::text
ORDER BY array_position(ARRAY['critical', 'warning', 'unknown', 'ok', 'not watched'], level), metric
