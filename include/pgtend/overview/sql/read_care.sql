-- What the first page says of indexes and archives: what could be gained, and what waits, as the newest run of everything judged it and
-- narrower ones after that changed it.
-- on: ledger
SELECT known.database,
    (SELECT max(look.at) FROM reporting.index_looks AS look
        WHERE look.database = known.database AND look.at > %(since)s::timestamptz) AS looked_at,
    coalesce(rebuilt.waiting, 0)::integer AS waiting, coalesce(rebuilt.bloat, 0)::bigint AS bloat, whole.judged_at,
    coalesce(planned.months, 0)::integer AS months, coalesce(planned.rows, 0)::bigint AS planned_rows,
    coalesce(planned.unapproved, 0)::integer AS unapproved, coalesce(planned.refusals, '') AS refusals,
    planned.at AS planned_at
FROM unnest(%(databases)s::text[]) AS known (database)
-- A run that saw no index worth a word has judged all of them too; one that failed has judged what it wrote down.
LEFT JOIN LATERAL (
    SELECT min(found.since) AS since, max(found.judged_at) AS judged_at
    FROM (
        SELECT run.started_at AS since, coalesce(run.ended_at, judged.at) AS judged_at
        FROM reporting.runs AS run
        LEFT JOIN LATERAL (
            SELECT max(own.at) AS at FROM reporting.index_rebuilds AS own
            WHERE own.database = known.database AND own.run_id = run.run_id AND own.at >= run.started_at
        ) AS judged ON true
        WHERE run.database = known.database AND run.pipeline = 'reindex' AND run.started_at > %(since)s::timestamptz
          AND (run.outcome = 'succeeded' OR judged.at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM reporting.narrow_runs AS narrow WHERE narrow.run_id = run.run_id)
        ORDER BY run.started_at DESC LIMIT 1
    ) AS found
) AS whole ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS waiting, sum(greatest(newest.size_before - newest.size_predicted, 0)) AS bloat
    FROM (
        SELECT DISTINCT ON (judged.schema_name, judged.index_name)
            judged.decision, judged.size_before, judged.size_predicted, judged.size_after
        FROM reporting.index_rebuilds AS judged
        WHERE judged.database = known.database AND judged.at >= whole.since
        ORDER BY judged.schema_name, judged.index_name, judged.at DESC
    ) AS newest
    WHERE newest.decision = 'rebuild' AND newest.size_after IS NULL
) AS rebuilt ON true
-- What a run left of a table is written down behind what it had planned.
LEFT JOIN LATERAL (
    SELECT sum(waits.months) AS months, sum(waits.planned_rows) AS rows,
        count(*) FILTER (WHERE waits.approved_by = '') AS unapproved,
        string_agg(nullif(waits.refusals, ''), '; ') AS refusals, min(waits.whole_at) AS at
    FROM (
        SELECT DISTINCT ON (plan.schema_name, plan.table_name)
            plan.months, plan.planned_rows, plan.approved_by, plan.refusals, newest.at AS whole_at
        FROM (
            SELECT min(own.at) AS since, max(own.at) AS at
            FROM reporting.archive_plans AS own
            WHERE own.database = known.database AND own.run_id = (
                SELECT planner.run_id FROM reporting.archive_plans AS planner
                WHERE planner.database = known.database AND planner.at > %(since)s::timestamptz
                  AND NOT EXISTS (SELECT FROM reporting.narrow_runs AS narrow WHERE narrow.run_id = planner.run_id)
                ORDER BY planner.at DESC LIMIT 1)
        ) AS newest
        JOIN reporting.archive_plans AS plan ON plan.database = known.database AND plan.at >= newest.since
        ORDER BY plan.schema_name, plan.table_name, plan.at DESC
    ) AS waits
) AS planned ON true
