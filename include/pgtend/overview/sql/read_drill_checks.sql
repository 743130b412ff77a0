-- The checks of one drill: what was expected, what was found.
-- on: ledger
SELECT check_name, subject, outcome, failure_class, expected, found, detail
FROM reporting.drill_checks
WHERE database = %(database)s::text AND run_id = %(run_id)s::text AND at >= %(since)s::timestamptz
ORDER BY array_position(ARRAY['failed', 'skipped', 'passed'], outcome), check_name, subject
