-- The same as find_missing_statistics, for a role that may not read the keys of pg_statistic (managed servers): pg_stats
-- shows what the role may select from. No value in it is read, only that a row is there.
WITH known AS NOT MATERIALIZED (
    SELECT
        a.attrelid AS relation,
        a.attnum,
        s.inherited
    FROM pg_stats AS s
    INNER JOIN pg_namespace AS n ON n.nspname = s.schemaname
    INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
    WHERE
        s.schemaname NOT IN ('pg_catalog', 'information_schema')
        AND (
            %(tables)s::oid[] IS NULL
            OR s.tablename = ANY (
                ARRAY(
                    SELECT r.relname FROM pg_class AS r
                    WHERE
                        r.oid = ANY (%(tables)s::oid[])
                        OR r.oid IN (SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = ANY (%(tables)s::oid[]))
                )
            )
        )
),
known_extended AS NOT MATERIALIZED (
    SELECT e.oid AS statistic
    FROM pg_stats_ext AS s
    INNER JOIN pg_namespace AS n ON n.nspname = s.statistics_schemaname
    INNER JOIN pg_statistic_ext AS e ON e.stxnamespace = n.oid AND e.stxname = s.statistics_name
),
mine AS NOT MATERIALIZED (
    SELECT
        c.oid,
        c.relkind,
        EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = c.oid) AS has_children
    FROM pg_class AS c
    WHERE
        c.relkind IN ('r', 'p', 'm')
        AND c.relpersistence <> 't'
        AND c.oid >= 16384
        AND (%(tables)s::oid[] IS NULL OR c.oid = ANY (%(tables)s::oid[]))
),
wanted AS NOT MATERIALIZED (
    SELECT
        a.attrelid,
        a.attnum,
        a.attname
    FROM pg_attribute AS a
    INNER JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE
        a.attrelid >= 16384
        AND a.attnum > 0
        AND NOT a.attisdropped
        AND a.attstattarget IS DISTINCT FROM 0
        AND a.attgenerated <> 'v'
        -- An extension's own analyze function may rightly find nothing worth keeping.
        AND t.typanalyze::oid < 16384
),
lacking (oid, kind, name) AS (
    SELECT
        mine.oid,
        'column',
        w.attname
    FROM mine
    INNER JOIN wanted AS w ON w.attrelid = mine.oid
    LEFT JOIN known AS k ON k.relation = w.attrelid AND k.attnum = w.attnum AND NOT k.inherited
    WHERE mine.relkind <> 'p' AND k.relation IS NULL
    UNION ALL
    SELECT
        mine.oid,
        'inherited',
        w.attname
    FROM mine
    INNER JOIN wanted AS w ON w.attrelid = mine.oid
    LEFT JOIN known AS k ON k.relation = w.attrelid AND k.attnum = w.attnum AND k.inherited
    WHERE mine.has_children AND k.relation IS NULL
    UNION ALL
    SELECT
        mine.oid,
        'expression',
        x.relname
    FROM mine
    INNER JOIN pg_index AS i ON i.indrelid = mine.oid AND i.indexprs IS NOT NULL AND i.indisready
    -- The rows of a partial index may all have missed the sample: then the server writes down that it holds none.
    INNER JOIN pg_class AS x ON x.oid = i.indexrelid AND (i.indpred IS NULL OR x.reltuples > 0)
    INNER JOIN wanted AS w ON w.attrelid = i.indexrelid AND i.indkey[w.attnum - 1] = 0
    LEFT JOIN known AS k ON k.relation = w.attrelid AND k.attnum = w.attnum
    -- No server keeps statistics for an expression of a partitioned index; the partitions' own indexes have them.
    WHERE mine.relkind <> 'p' AND k.relation IS NULL
    UNION ALL
    SELECT
        mine.oid,
        'extended',
        e.stxname
    FROM mine
    INNER JOIN pg_statistic_ext AS e ON e.stxrelid = mine.oid
    WHERE
        e.stxstattarget IS DISTINCT FROM 0
        AND NOT EXISTS (SELECT FROM known_extended AS k WHERE k.statistic = e.oid)
)
SELECT
    oid::bigint AS oid,
    coalesce(array_agg(name::text ORDER BY name) FILTER (WHERE kind = 'column'), '{}') AS columns,
    coalesce(array_agg(name::text ORDER BY name) FILTER (WHERE kind = 'inherited'), '{}') AS inherited,
    coalesce(array_agg(DISTINCT name::text ORDER BY name::text) FILTER (WHERE kind = 'expression'), '{}') AS expressions,
    coalesce(array_agg(name::text ORDER BY name) FILTER (WHERE kind = 'extended'), '{}') AS extended
FROM lacking
GROUP BY oid
