-- What happened to a database between two moments: what was done to it by us, and what changed around it.
-- on: ledger
SELECT at, kind, detail, run_id
FROM reporting.events
WHERE database = %(database)s AND at >= %(since)s AND at <= %(until)s
ORDER BY at DESC
