-- What the first page says of drills: of each database the newest one, and the newest that proved something by each rule.
-- on: ledger
SELECT known.database, newest.verdict, newest.failure_class, newest.ended_at, newest.rto_target, newest.rto_measured,
    newest.rto_predicted, newest.run_id,
    (SELECT max(proven.ended_at) FROM reporting.drills AS proven
        WHERE proven.database = known.database AND proven.verdict <> 'FAIL') AS proven_at,
    ARRAY(SELECT last.rule || '=' || extract(epoch FROM last.ended_at)::bigint FROM reporting.last_proven AS last
        WHERE last.database = known.database ORDER BY last.rule) AS rules
FROM unnest(%(databases)s::text[]) AS known (database)
CROSS JOIN LATERAL (
    SELECT drill.verdict, drill.failure_class, drill.ended_at, drill.rto_target, drill.rto_measured, drill.rto_predicted,
        drill.run_id
    FROM reporting.drills AS drill WHERE drill.database = known.database
    ORDER BY drill.ended_at DESC LIMIT 1
) AS newest
