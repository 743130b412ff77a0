-- The drills of a database in the last year, newest first: what each proved, and how long a restore really took.
-- on: ledger
SELECT
    d.backup_id,
    d.rule,
    d.verdict,
    d.failure_class,
    d.ended_at,
    d.rto_target,
    d.rto_measured,
    d.rto_predicted,
    d.rpo_measured,
    d.not_checked
FROM reporting.drills AS d
WHERE d.database = %(database)s::text AND d.ended_at >= %(since)s::timestamptz
ORDER BY d.ended_at DESC
LIMIT 26
