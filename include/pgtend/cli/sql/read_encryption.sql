-- Tells whether the server sees this very connection as encrypted.
SELECT ssl AS is_encrypted, coalesce(version, '') AS protocol FROM pg_stat_ssl WHERE pid = pg_backend_pid()
