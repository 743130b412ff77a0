-- What could be changed about indexes, and what was proved about it on a copy; the newest word on each.
-- on: ledger
SELECT schema_name, table_name, index_name, kind, status, priority, up_sql, down_sql, why, gain, worst_harm, write_cost,
    size, took_to_build, at, run_id
FROM (
    SELECT DISTINCT ON (schema_name, table_name, index_name, kind) *
    FROM reporting.index_advices
    WHERE database = %(database)s::text AND at >= %(since)s::timestamptz
    ORDER BY schema_name, table_name, index_name, kind, at DESC
) AS newest
ORDER BY array_position(ARRAY['advised', 'candidate', 'refuted'], status), array_position(ARRAY['high', 'medium', 'low'], priority),
    gain DESC NULLS LAST
LIMIT %(most)s::integer
