-- How every metric of some databases stands now; stale knowledge is unknown here already.
-- on: ledger
SELECT
    h.database,
    h.metric,
    h.level,
    h.value,
    coalesce(h.about, '') AS about,
    coalesce(h.reason, '') AS reason,
    h.since,
    h.looked_at
FROM reporting.health AS h
WHERE h.database = ANY(%(databases)s::text[])
