-- What the statements of a database cost in each night, and how far each night can be trusted.
-- on: ledger
SELECT
    n.day,
    n.since,
    n.taken_at,
    n.baseline_reason,
    n.missed_nights,
    n.resets,
    n.deallocated,
    n.entries_on_server,
    n.capacity,
    n.calls,
    n.exec_ms,
    n.io_ms,
    n.blocks_read,
    n.wal_bytes,
    n.is_exact
FROM reporting.statement_nights AS n
WHERE n.database = %(database)s::text AND n.replica = '' AND n.day >= %(since)s::date
ORDER BY n.day
