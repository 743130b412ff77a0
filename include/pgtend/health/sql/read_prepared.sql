-- Prepared transactions nobody came back for hold their locks through every restart.
SELECT
    count(*)::int AS amount,
    extract(EPOCH FROM clock_timestamp() - min(p.prepared))::float8 AS oldest,
    coalesce((array_agg(p.owner::text ORDER BY p.prepared))[1], '') AS owner
FROM pg_prepared_xacts AS p
WHERE p.database = current_database()
