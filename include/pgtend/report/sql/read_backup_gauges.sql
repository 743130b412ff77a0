-- How many backups each database has by what is known of them, and how old and large the newest of each kind is.
-- on: ledger
SELECT
    b.database,
    b.state,
    count(*)::int AS amount,
    max(b.taken_at) AS newest_at,
    (array_agg(b.stored_bytes ORDER BY b.taken_at DESC))[1]::bigint AS newest_bytes
FROM reporting.backups AS b
GROUP BY b.database, b.state
ORDER BY b.database, b.state
