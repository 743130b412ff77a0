-- The plans of a few statements that were kept, newest first: another shape is another plan.
-- on: ledger
SELECT fingerprint, day, shape
FROM reporting.statement_plan_shapes
WHERE database = %(database)s AND replica = %(replica)s AND fingerprint = ANY (%(fingerprints)s)
ORDER BY day DESC
