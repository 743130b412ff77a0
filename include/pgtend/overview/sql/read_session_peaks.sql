-- How many sessions there were at the same time, and how many of them worked: what a pool must be made for.
-- on: ledger
SELECT metric, count(*)::integer AS looks, max(value)::double precision AS highest,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY value)::double precision AS usual_peak
FROM reporting.health_readings
WHERE database = %(database)s::text AND at >= %(since)s::timestamptz
  AND metric IN ('sessions', 'sessions_active', 'sessions_idle')
GROUP BY metric
