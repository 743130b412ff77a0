-- The nights of every statement of one target that can be compared with the last one, as short rows: what the judgement
-- of all statements needs, and no more.
-- on: ledger
SELECT fingerprint, role,
    array_agg(day ORDER BY day) AS days,
    array_agg(calls ORDER BY day) AS calls,
    array_agg(exec_ms ORDER BY day) AS exec_ms,
    array_agg(exec_ssq ORDER BY day) AS exec_ssq
FROM (
    SELECT night.fingerprint, night.role, night.day, sum(night.calls)::bigint AS calls,
        coalesce(sum(night.exec_ms), 0) AS exec_ms, coalesce(sum(night.exec_ssq), 0) AS exec_ssq
    FROM reporting.statement_days AS night
    WHERE night.database = %(database)s AND night.replica = %(replica)s
      AND night.day BETWEEN %(first_day)s AND %(day)s AND night.calls > 0
    GROUP BY night.fingerprint, night.role, night.day
) AS nightly
GROUP BY fingerprint, role
