-- What the first page says of indexes and archives: what could be gained, and what waits.
-- on: ledger
SELECT known.database,
    (SELECT max(look.at) FROM reporting.index_looks AS look
        WHERE look.database = known.database AND look.at > %(since)s::timestamptz) AS looked_at,
    coalesce(rebuilt.waiting, 0)::integer AS waiting, coalesce(rebuilt.bloat, 0)::bigint AS bloat, greatest(rebuilt.at, ran.at) AS judged_at,
    coalesce(planned.months, 0)::integer AS months, coalesce(planned.rows, 0)::bigint AS planned_rows,
    coalesce(planned.unapproved, 0)::integer AS unapproved, coalesce(planned.refusals, '') AS refusals,
    planned.at AS planned_at
FROM unnest(%(databases)s::text[]) AS known (database)
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE judged.decision = 'rebuild' AND judged.size_after IS NULL) AS waiting,
        sum(greatest(judged.size_before - judged.size_predicted, 0))
            FILTER (WHERE judged.decision = 'rebuild' AND judged.size_after IS NULL) AS bloat,
        max(judged.at) AS at
    FROM reporting.index_rebuilds AS judged
    WHERE judged.database = known.database AND judged.at > %(since)s::timestamptz
      AND judged.run_id = (
        SELECT newest.run_id FROM reporting.index_rebuilds AS newest
        WHERE newest.database = known.database AND newest.at > %(since)s::timestamptz ORDER BY newest.at DESC LIMIT 1)
) AS rebuilt ON true
-- A run that saw no index worth a word has judged all of them too.
LEFT JOIN LATERAL (
    SELECT run.ended_at AS at FROM reporting.runs AS run
    WHERE run.database = known.database AND run.pipeline = 'reindex' AND run.outcome = 'succeeded'
      AND run.started_at > %(since)s::timestamptz
    ORDER BY run.started_at DESC LIMIT 1
) AS ran ON true
-- What a run left of a table is written down behind what it had planned.
LEFT JOIN LATERAL (
    SELECT sum(waits.months) AS months, sum(waits.planned_rows) AS rows,
        count(*) FILTER (WHERE waits.approved_by = '') AS unapproved,
        string_agg(nullif(waits.refusals, ''), '; ') AS refusals, max(waits.at) AS at
    FROM (
        SELECT DISTINCT ON (plan.schema_name, plan.table_name)
            plan.months, plan.planned_rows, plan.approved_by, plan.refusals, plan.at
        FROM reporting.archive_plans AS plan
        WHERE plan.database = known.database AND plan.at > %(since)s::timestamptz
          AND plan.run_id = (
            SELECT newest.run_id FROM reporting.archive_plans AS newest
            WHERE newest.database = known.database AND newest.at > %(since)s::timestamptz ORDER BY newest.at DESC LIMIT 1)
        ORDER BY plan.schema_name, plan.table_name, plan.at DESC
    ) AS waits
) AS planned ON true
