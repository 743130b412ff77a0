-- What the first page says of statements: what got slower in the newest night, each by itself or all together, how old that
-- night is, and why it could not be judged.
-- on: ledger
SELECT night.database, night.day, night.at, night.judged, night.remark,
    count(found.fingerprint) FILTER (WHERE found.kind = 'regression')::integer AS regressions,
    count(found.kind) FILTER (WHERE found.kind IN ('regression', 'whole server') AND found.is_alert)::integer AS alerts,
    max(found.ratio) FILTER (WHERE found.kind = 'whole server')::double precision AS all_slower,
    coalesce(max(found.ratio) FILTER (WHERE found.kind = 'regression'), 0)::double precision AS worst
FROM (
    SELECT DISTINCT ON (verdict.database) verdict.database, verdict.day, verdict.at, verdict.judged,
        verdict.remark
    FROM reporting.statement_verdicts AS verdict
    WHERE verdict.database = ANY (%(databases)s::text[]) AND verdict.replica = '' AND verdict.at > %(since)s::timestamptz
    ORDER BY verdict.database, verdict.day DESC
) AS night
LEFT JOIN reporting.regressions AS found
    ON found.database = night.database AND found.day = night.day AND found.replica = ''
GROUP BY night.database, night.day, night.at, night.judged, night.remark
