-- Indexes that no server used in a span that was watched without a gap.
-- on: ledger
SELECT
    i.schema_name,
    i.index_name,
    i.definition
FROM reporting.indexes AS i
WHERE
    i.database = %(database)s AND i.nodes >= %(nodes)s::int
    AND i.watched_since <= now() - %(span)s::interval
    AND (i.used_at IS NULL OR i.used_at < now() - %(span)s::interval)
    AND i.seen_at > now() - interval '3 days'
