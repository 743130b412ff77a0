-- Deletes one person's rows from an archived month, and takes them off the ledger in the same statement.
WITH gone AS (
    DELETE FROM ONLY {table} WHERE {condition} RETURNING *
), known AS (
    UPDATE pgtend_archive.unit SET
        rows = rows - (SELECT count(*) FROM gone),
        checksum = checksum
            - (SELECT COALESCE(sum({hashed}), 0) FROM gone),
        state = CASE WHEN state IN ('stored', 'proven') THEN 'sealed' ELSE state END,
        gen = gen + (state IN ('stored', 'proven'))::int,
        changed_at = clock_timestamp()
    WHERE (source_id, month) = (%(source_id)s::int, %(month)s::date) AND EXISTS (SELECT FROM gone)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM known) AS known
