-- What a database spent its time on between two days, by whatever is asked for; the ledger adds the nights up.
-- on: ledger
SELECT spent.fingerprint, spent.role, spent.query, spent.calls, spent.exec_ms, spent.mean_ms, spent.deviation_ms, spent.share,
    spent.rows, spent.shared_blks_hit, spent.shared_blks_read, spent.read_ms, spent.temp_blks, spent.wal_bytes,
    spent.nights_seen, spent.nights
FROM reporting.top_statements(%(database)s::text, '', %(first)s::date, %(last)s::date) AS spent
ORDER BY
    CASE %(by)s::text
        WHEN 'mean' THEN spent.mean_ms
        WHEN 'calls' THEN spent.calls
        WHEN 'read' THEN spent.shared_blks_read
        WHEN 'temp' THEN spent.temp_blks
        WHEN 'wal' THEN spent.wal_bytes
        ELSE spent.exec_ms
    END DESC, spent.fingerprint, spent.role
LIMIT %(most)s::integer
