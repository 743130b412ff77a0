-- Everything the policy needs to judge each table, in one pass over pg_class: pg_stat_get_* functions instead of the
-- pg_stat views and no pg_stats, so that ten thousand tables take well under a second.
WITH RECURSIVE server AS MATERIALIZED (
    SELECT
        current_setting('server_version_num')::int AS version,
        -- Whoever owns the database may analyze everything in it.
        pg_has_role(database.datdba, 'USAGE') AS owns_database
    FROM pg_database AS database
    WHERE database.datname = current_database()
),
family (ancestor, descendant) AS (
    SELECT inhparent, inhrelid FROM pg_inherits
    UNION
    SELECT family.ancestor, pg_inherits.inhrelid
    FROM family
    INNER JOIN pg_inherits ON pg_inherits.inhparent = family.descendant
),
counters AS MATERIALIZED (
    SELECT
        c.oid,
        c.relkind,
        c.reltuples,
        -- Not pg_relation_size(), which would wait for everybody who holds an exclusive lock.
        c.relpages::bigint * current_setting('block_size')::int AS size,
        pg_stat_get_live_tuples(c.oid) AS live,
        pg_stat_get_mod_since_analyze(c.oid) AS modified,
        pg_stat_get_last_autoanalyze_time(c.oid) AS autoanalyzed_at,
        greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS analyzed_at
    FROM pg_class AS c
    WHERE
        c.relkind IN ('r', 'p', 'm', 'f')
        AND c.relnamespace <> ALL (
            SELECT n.oid FROM pg_namespace AS n
            WHERE n.nspname IN ('pg_catalog', 'pg_toast', 'information_schema')
        )
),
readings AS MATERIALIZED (
    SELECT
        oid,
        size,
        modified,
        autoanalyzed_at,
        analyzed_at,
        CASE
            WHEN relkind IN ('p', 'f') THEN 0
            WHEN reltuples > 0 THEN reltuples::bigint
            ELSE nullif(live, 0)
        END AS rows,
        -- When nobody ever looked, or the server forgot who did, a table that seems empty may be full.
        relkind NOT IN ('p', 'f') AND (reltuples <> 0 OR modified > 0 OR (size = 0 AND analyzed_at IS NULL)) AS holds_rows
    FROM counters
),
children AS (
    SELECT
        family.ancestor AS oid,
        sum(leaf.rows)::bigint AS rows,
        sum(leaf.size)::bigint AS size,
        sum(leaf.modified)::bigint AS modified,
        bool_or(leaf.holds_rows) AS hold_rows,
        -- Autovacuum sets a partition's count of changes back to zero and never looks at the parent.
        coalesce(sum(leaf.rows) FILTER (
            WHERE leaf.autoanalyzed_at > coalesce(parent.analyzed_at, '-infinity')
        ), 0)::bigint AS reanalyzed,
        max(leaf.analyzed_at) AS analyzed_at
    FROM family
    INNER JOIN readings AS leaf ON leaf.oid = family.descendant
    INNER JOIN readings AS parent ON parent.oid = family.ancestor
    GROUP BY family.ancestor
),
ancestors AS (
    SELECT
        family.descendant AS oid,
        array_agg(family.ancestor::bigint) AS oids,
        array_agg(n.nspname || '.' || c.relname) AS names
    FROM family
    INNER JOIN pg_class AS c ON c.oid = family.ancestor
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    GROUP BY family.descendant
)
SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    format('%%I.%%I', n.nspname, c.relname) AS sql_name,
    quote_ident(n.nspname) AS sql_schema,
    o.rolname::text AS owner,
    quote_ident(o.rolname) AS sql_owner,
    o.rolsuper AS owner_is_superuser,
    CASE c.relkind
        WHEN 'p' THEN 'partitioned table'
        WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table'
        ELSE 'table'
    END AS kind,
    c.relpersistence = 't' AS is_temporary,
    r.rows,
    r.size::bigint AS size,
    r.holds_rows,
    r.modified,
    r.analyzed_at,
    children.oid IS NOT NULL AS has_children,
    coalesce(children.rows, 0) AS children_rows,
    coalesce(children.size, 0)::bigint AS children_size,
    coalesce(children.hold_rows, FALSE) AS children_hold_rows,
    coalesce(children.modified, 0) AS children_modified,
    coalesce(children.reanalyzed, 0) AS children_reanalyzed,
    children.analyzed_at AS children_analyzed_at,
    coalesce(ancestors.oids, '{}') AS ancestor_oids,
    coalesce(ancestors.names, '{}') AS ancestor_names,
    c.relrowsecurity AND c.relforcerowsecurity AS hides_rows_from_owner,
    has_schema_privilege(n.oid, 'USAGE') AS may_use_schema,
    pg_has_role(c.relowner, 'USAGE') AS may_alter,
    server.owns_database OR CASE
        WHEN server.version >= 170000 THEN coalesce(has_table_privilege(c.oid, 'MAINTAIN'), FALSE)
        ELSE pg_has_role(c.relowner, 'USAGE')
    END AS may_analyze,
    pg_has_role(c.relowner, 'USAGE') AND NOT row_security_active(c.oid) AS may_see_statistics,
    current_setting('autovacuum_analyze_scale_factor')::float8 AS autovacuum_fraction,
    pg_postmaster_start_time() AS server_started_at,
    now() AS read_at
FROM readings AS r
INNER JOIN pg_class AS c ON c.oid = r.oid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_roles AS o ON o.oid = c.relowner
CROSS JOIN server
LEFT JOIN children ON children.oid = c.oid
LEFT JOIN ancestors ON ancestors.oid = c.oid
ORDER BY n.nspname, c.relname
