-- Statements that are slow by the limit of the fleet file, with the plan that was caught.
-- on: ledger
SELECT fingerprint, role, query, calls, mean_ms, deviation_ms, exec_ms, share, rows, nights_seen, nights, slow_from_ms,
    plan::text AS plan, plan_cost, plan_day, plan_remark
FROM reporting.slow_statements
WHERE database = %(database)s::text AND replica = ''
ORDER BY exec_ms DESC, fingerprint LIMIT %(most)s::integer
