-- How near the fullest sequence is to its end. The end is that of the column it feeds where that is nearer: an integer key
-- behind a bigint sequence stops at two thousand million. Sequences that start again by design are left out.
WITH sequences AS MATERIALIZED (
    SELECT
        n.nspname || '.' || c.relname AS name,
        has_sequence_privilege(c.oid, 'SELECT, USAGE') AS may_read,
        CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END::numeric AS last,
        s.seqincrement,
        s.seqmin,
        s.seqmax,
        least(
            s.seqmax,
            CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE s.seqmax END
        ) AS ends
    FROM pg_sequence AS s
    INNER JOIN pg_class AS c ON c.oid = s.seqrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend AS d ON
        d.classid = 'pg_class'::regclass
        AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass
        AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE NOT s.seqcycle AND c.relpersistence = 'p'
),
used AS (
    SELECT
        q.name,
        q.may_read,
        -- Counted from where its range begins; one that begins behind the end of its column is at its end.
        CASE
            WHEN q.last IS NULL THEN NULL
            WHEN q.seqincrement > 0 AND q.ends > q.seqmin THEN 100 * (q.last - q.seqmin) / (q.ends - q.seqmin)
            WHEN q.seqincrement < 0 AND q.seqmax > q.seqmin THEN 100 * (q.seqmax - q.last) / (q.seqmax - q.seqmin)
            ELSE 100
        END::float8 AS percent
    FROM sequences AS q
)
SELECT
    count(*)::int AS amount,
    (count(*) FILTER (WHERE NOT u.may_read))::int AS hidden,
    max(u.percent) AS percent,
    coalesce((array_agg(u.name ORDER BY u.percent DESC NULLS LAST))[1], '') AS name
FROM used AS u
