-- Everything that is known of a few statements in each night: the evidence a cause is concluded from.
-- on: ledger
SELECT fingerprint, role, day,
    sum(calls)::bigint AS calls, sum(exec_ms) AS exec_ms, coalesce(sum(rows), 0)::bigint AS rows,
    coalesce(sum(plans), 0)::bigint AS plans, coalesce(sum(plan_ms), 0) AS plan_ms,
    coalesce(sum(shared_blks_hit), 0)::bigint AS hit, coalesce(sum(shared_blks_read), 0)::bigint AS read,
    (coalesce(sum(temp_blks_read), 0) + coalesce(sum(temp_blks_written), 0))::bigint AS temp,
    coalesce(sum(wal_fpi), 0)::bigint AS wal_fpi, coalesce(sum(shared_read_ms), 0) AS read_ms,
    coalesce(sum(jit_ms), 0) AS jit_ms, coalesce(sum(parallel_to_launch), 0)::bigint AS to_launch,
    coalesce(sum(parallel_launched), 0)::bigint AS launched, coalesce(sum(generic_plans), 0)::bigint AS generic
FROM reporting.statement_days
WHERE database = %(database)s AND replica = %(replica)s AND day BETWEEN %(first_day)s AND %(day)s AND calls > 0
  AND fingerprint = ANY (%(fingerprints)s)
GROUP BY fingerprint, role, day
ORDER BY day
