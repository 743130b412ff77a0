-- How large each index was when the last drill had just built it, and of how many rows; empty before the first drill.
-- on: ledger
SELECT
    s.schema_name,
    s.index_name,
    s.definition_sha256,
    s.bytes AS size,
    s.rows
FROM reporting.index_exact_sizes AS s
WHERE s.database = %(database)s
