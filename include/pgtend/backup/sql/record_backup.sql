-- Keeps how a backup was seen in a vault: its state, its weight, and how long it stays and why.
-- on: ledger
INSERT INTO reporting.backup (
    run_id, database, vault, backup_id, taken_at, stored_at, checked_at, state, faults, stored_bytes, plain_bytes, rows,
    tables, took, snapshot_held, server_version, sealed_for, keep, keep_until, keep_reason, in_use
) VALUES (
    %(run_id)s, %(database)s, %(vault)s, %(backup_id)s, %(taken_at)s, %(stored_at)s, %(checked_at)s, %(state)s, %(faults)s,
    %(stored_bytes)s, %(plain_bytes)s, %(rows)s, %(tables)s, %(took)s, %(snapshot_held)s, %(server_version)s,
    %(sealed_for)s, %(keep)s, %(keep_until)s, %(keep_reason)s, %(in_use)s
)
