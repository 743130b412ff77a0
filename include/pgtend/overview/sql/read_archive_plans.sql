-- What waits to leave each table, as the newest run of the archive pipeline for all of them planned it, or left it where it did
-- something; runs for some of them have the last word about those.
-- on: ledger
SELECT DISTINCT ON (plan.schema_name, plan.table_name) plan.at, plan.schema_name, plan.table_name, plan.mode, plan.cutoff,
    plan.months, plan.planned_rows, plan.approved_by, plan.refusals, plan.run_id
FROM reporting.archive_plans AS plan
WHERE plan.database = %(database)s::text AND plan.at >= (
    SELECT min(own.at)
    FROM reporting.archive_plans AS own
    WHERE own.database = %(database)s::text AND own.run_id = (
        SELECT newest.run_id FROM reporting.archive_plans AS newest
        WHERE newest.database = %(database)s::text AND newest.at >= %(since)s::timestamptz
          AND NOT EXISTS (SELECT FROM reporting.narrow_runs AS narrow WHERE narrow.run_id = newest.run_id)
        ORDER BY newest.at DESC LIMIT 1))
ORDER BY plan.schema_name, plan.table_name, plan.at DESC
