-- Appends one entry; PostgreSQL numbers, stamps and hashes it under a lock, so that the chain never forks.
-- on: ledger
SELECT seq, encode(hash, 'hex') AS hash
FROM reporting.append_audit(%(actor)s::text, %(action)s::text, %(target)s::text, %(detail)s::jsonb)
