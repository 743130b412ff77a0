-- Which statistics the planner lacks, as vacuumdb --missing-stats-only finds them, with the reasons why some can never
-- exist. Reads only the keys of pg_statistic: the columns that hold values from tables are not even granted to us.
WITH known AS NOT MATERIALIZED (
    SELECT
        s.starelid AS relation,
        s.staattnum AS attnum,
        s.stainherit AS inherited
    FROM pg_statistic AS s
),
known_extended AS NOT MATERIALIZED (
    SELECT d.stxoid AS statistic
    FROM pg_statistic_ext_data AS d
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
