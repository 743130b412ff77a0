-- One statement, night by night: people look for the day on which it changed.
-- on: ledger
SELECT day, sum(calls)::bigint AS calls, sum(exec_ms)::double precision AS exec_ms,
    coalesce(sum(exec_ms) / nullif(sum(calls), 0), 0)::double precision AS mean_ms, max(query) AS query
FROM reporting.statement_days
WHERE database = %(database)s::text AND replica = '' AND fingerprint = %(fingerprint)s::text AND day >= %(since)s::date
GROUP BY day ORDER BY day
