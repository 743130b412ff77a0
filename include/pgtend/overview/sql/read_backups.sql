-- Every backup of one database, wherever it lies: people ask which ones there are, why each is kept, and how sure we are.
-- on: ledger
SELECT backup_id, vault, place, is_copy, taken_at, state, faults, stored_bytes, plain_bytes, rows, tables, took,
    server_version, sealed_for, keep, keep_until, keep_reason, in_use, checked_at, seen_at, run_id
FROM reporting.backup_places
WHERE database = %(database)s::text
ORDER BY taken_at DESC, is_copy, vault LIMIT %(most)s::integer
