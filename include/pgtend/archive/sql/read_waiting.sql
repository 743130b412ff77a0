-- How long the one who has waited longest for a lock of ours has waited. The list of those who wait is nearly always empty,
-- so that the expensive question, whom they wait for, is nearly never asked.
SELECT COALESCE(max(clock_timestamp() - l.waitstart), interval '0') AS longest
FROM pg_locks AS l
WHERE NOT l.granted AND l.waitstart IS NOT NULL AND %(ourselves)s = ANY (pg_blocking_pids(l.pid))
