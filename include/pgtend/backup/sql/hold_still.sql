-- Lets a transaction wait as long as the dumps take: the session that holds the snapshot is idle by design, and hashing
-- a large table honestly takes long. Only the timeouts that this server knows can be named.
SELECT count(set_config(name, '0', false)) AS settings
FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout', 'statement_timeout')
