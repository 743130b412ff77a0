-- How large each inverted index was when a drill had built it on rows spread as in production; empty before the first one.
-- on: ledger
SELECT
    s.schema_name,
    s.index_name,
    s.definition_sha256,
    s.bytes AS size,
    s.rows,
    s.pages
FROM reporting.index_spread_sizes AS s
WHERE s.database = %(database)s
