-- Every number of health that is still true; what nobody looked at for long is left out, because a gauge has no date.
-- on: ledger
SELECT
    h.database,
    h.metric,
    h.unit,
    h.level,
    CASE WHEN d.is_stale THEN NULL ELSE h.value END AS value,
    h.looked_at
FROM reporting.health AS h
INNER JOIN reporting.health_databases AS d ON d.database = h.database
WHERE h.unit IS NOT NULL
ORDER BY h.metric, h.database
