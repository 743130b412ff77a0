-- The largest tables, and those that VACUUM or ANALYZE is most behind with, measured by the limit at which autovacuum would
-- begin (per table where the table says so). Sizes are those of the last VACUUM or ANALYZE: asking for the size of a file
-- would wait for everybody who holds an exclusive lock.
WITH readings AS MATERIALIZED (
    SELECT
        c.oid,
        n.nspname || '.' || c.relname AS name,
        greatest(c.reltuples, 0)::bigint AS rows,
        (
            c.relpages
            + coalesce((SELECT t.relpages FROM pg_class AS t WHERE t.oid = c.reltoastrelid), 0)
            + coalesce(
                (
                    SELECT sum(i.relpages) FROM pg_index AS x
                    INNER JOIN pg_class AS i ON i.oid = x.indexrelid
                    WHERE x.indrelid = c.oid
                ), 0
            )
        ) * current_setting('block_size')::bigint AS size,
        pg_stat_get_dead_tuples(c.oid) AS dead,
        pg_stat_get_mod_since_analyze(c.oid) AS modified,
        greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS vacuumed_at,
        options.vacuum_threshold + options.vacuum_fraction * greatest(c.reltuples, 0) AS vacuum_limit,
        options.analyze_threshold + options.analyze_fraction * greatest(c.reltuples, 0) AS analyze_limit
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT
            coalesce(
                max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold'),
                current_setting('autovacuum_vacuum_threshold')
            )::float8 AS vacuum_threshold,
            coalesce(
                max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor'),
                current_setting('autovacuum_vacuum_scale_factor')
            )::float8 AS vacuum_fraction,
            coalesce(
                max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_threshold'),
                current_setting('autovacuum_analyze_threshold')
            )::float8 AS analyze_threshold,
            coalesce(
                max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_scale_factor'),
                current_setting('autovacuum_analyze_scale_factor')
            )::float8 AS analyze_fraction
        FROM pg_options_to_table(c.reloptions) AS o
    ) AS options
    WHERE
        c.relkind IN ('r', 'm')
        AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
),
ranked AS (
    SELECT
        r.*,
        r.dead / greatest(
            least(r.vacuum_limit, nullif(current_setting('autovacuum_vacuum_max_threshold', TRUE)::float8, -1)), 1
        ) AS dead_ratio,
        r.modified / greatest(r.analyze_limit, 1) AS stale_ratio
    FROM readings AS r
)
SELECT
    p.name,
    p.size::bigint AS size,
    p.rows,
    p.dead,
    p.modified,
    p.dead_ratio,
    p.stale_ratio,
    p.vacuumed_at
FROM (
    SELECT
        k.*,
        row_number() OVER (ORDER BY k.size DESC, k.name) AS by_size,
        row_number() OVER (ORDER BY k.dead_ratio DESC, k.name) AS by_dead,
        row_number() OVER (ORDER BY k.stale_ratio DESC, k.name) AS by_stale
    FROM ranked AS k
) AS p
WHERE p.by_size <= 20 OR p.by_dead <= 3 OR p.by_stale <= 3
ORDER BY p.size DESC, p.name
