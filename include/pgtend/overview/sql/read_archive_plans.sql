-- What waits to leave each table, as the newest run of the archive pipeline planned it, or left it where it did something.
-- on: ledger
SELECT DISTINCT ON (plan.schema_name, plan.table_name) plan.at, plan.schema_name, plan.table_name, plan.mode, plan.cutoff,
    plan.months, plan.planned_rows, plan.approved_by, plan.refusals, plan.run_id
FROM reporting.archive_plans AS plan
WHERE plan.database = %(database)s::text AND plan.at >= %(since)s::timestamptz
  AND plan.run_id = (
    SELECT newest.run_id FROM reporting.archive_plans AS newest
    WHERE newest.database = %(database)s::text AND newest.at >= %(since)s::timestamptz ORDER BY newest.at DESC LIMIT 1)
ORDER BY plan.schema_name, plan.table_name, plan.at DESC
