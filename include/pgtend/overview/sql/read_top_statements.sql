-- What a database spent its time on between two days, by whatever is asked for; the ledger adds the nights up.
-- on: ledger
SELECT spent.fingerprint, spent.role, spent.query, spent.calls, spent.exec_ms, spent.mean_ms, spent.deviation_ms, spent.share,
    spent.rows, spent.shared_blks_hit, spent.shared_blks_read, spent.read_ms, spent.temp_blks, spent.wal_bytes,
    spent.nights_seen, spent.nights
FROM (VALUES ('mean', 'mean_ms'), ('calls', 'calls'), ('read', 'shared_blks_read'), ('temp', 'temp_blks'), ('wal', 'wal_bytes'))
    AS known (word, measure)
RIGHT JOIN (SELECT %(by)s::text AS word) AS asked ON asked.word = known.word
CROSS JOIN LATERAL reporting.dearest_statements(
    %(database)s::text, '', %(first)s::date, %(last)s::date, coalesce(known.measure, 'exec_ms'), %(most)s::integer) AS spent
ORDER BY
    CASE coalesce(known.measure, 'exec_ms')
        WHEN 'mean_ms' THEN spent.mean_ms
        WHEN 'calls' THEN spent.calls
        WHEN 'shared_blks_read' THEN spent.shared_blks_read
        WHEN 'temp_blks' THEN spent.temp_blks
        WHEN 'wal_bytes' THEN spent.wal_bytes
        ELSE spent.exec_ms
    END DESC, spent.fingerprint, spent.role
