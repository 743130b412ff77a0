-- Which table that is partitioned by time runs out of partitions first: behind the last one every INSERT fails. Left out are
-- those with a default partition, those nobody has kept up for a quarter, which are history, and our archives, which are too.
WITH bounds AS (
    SELECT
        n.nspname || '.' || p.relname AS name,
        CASE
            WHEN strpos(pg_get_expr(c.relpartbound, c.oid), ' TO (MAXVALUE') > 0 THEN 'infinity'
            ELSE substring(pg_get_expr(c.relpartbound, c.oid) FROM ' TO \(''([^'']+)''')
        END::timestamptz AS ends,
        m.nspname = 'pgtend_archive' AS is_archive
    FROM pg_partitioned_table AS t
    INNER JOIN pg_class AS p ON p.oid = t.partrelid
    INNER JOIN pg_namespace AS n ON n.oid = p.relnamespace
    INNER JOIN pg_attribute AS a ON a.attrelid = p.oid AND a.attnum = t.partattrs[0]
    INNER JOIN pg_inherits AS i ON i.inhparent = p.oid
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid
    INNER JOIN pg_namespace AS m ON m.oid = c.relnamespace
    WHERE
        t.partstrat = 'r'
        AND t.partdefid = 0
        AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
        AND p.relpersistence = 'p'
),
ahead AS (
    SELECT b.name, max(b.ends) AS ends
    FROM bounds AS b
    GROUP BY b.name
    HAVING NOT bool_and(b.is_archive) AND max(b.ends) > now() - interval '92 days' AND max(b.ends) < 'infinity'
)
SELECT
    count(*)::int AS amount,
    extract(EPOCH FROM min(a.ends) - now())::float8 AS seconds,
    coalesce((array_agg(a.name ORDER BY a.ends))[1], '') AS name
FROM ahead AS a
