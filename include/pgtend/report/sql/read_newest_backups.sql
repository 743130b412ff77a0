-- The newest backups of some databases, with what is known of each.
-- on: ledger
SELECT
    b.database,
    b.backup_id,
    b.state,
    b.taken_at,
    b.rows,
    b.stored_bytes,
    b.plain_bytes,
    b.took,
    b.copies,
    b.faults,
    b.seen_at
FROM (
    SELECT
        a.*,
        row_number() OVER (PARTITION BY a.database ORDER BY a.taken_at DESC) AS place
    FROM reporting.backups AS a
    WHERE a.database = ANY(%(databases)s::text[])
) AS b
WHERE b.place <= %(most)s::int
ORDER BY b.database, b.taken_at DESC
