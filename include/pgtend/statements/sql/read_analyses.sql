-- Tables whose statistics we renewed between two moments: the planner may have thought again.
-- on: ledger
SELECT at, table_name, run_id
FROM reporting.analyses
WHERE database = %(database)s AND at >= %(since)s AND at <= %(until)s AND outcome = 'proved'
ORDER BY at DESC
