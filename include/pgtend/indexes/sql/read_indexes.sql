-- Everything known about every index without touching one, in one pass: relpages instead of pg_relation_size(), which opens
-- a file for each; pg_stat_get_* functions instead of the views; a digest of the catalogue instead of pg_get_indexdef().
SELECT
    i.indexrelid::bigint AS oid,
    i.indrelid::bigint AS table_oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    t.relname::text AS table_name,
    a.amname::text AS kind,
    md5(
        concat_ws(
            '|', a.amname, i.indnatts, i.indnkeyatts, i.indkey, i.indclass, i.indcollation, i.indoption, i.indisunique,
            c.reloptions, regexp_replace(i.indexprs::text, ':location -?\d+', '', 'g'),
            regexp_replace(i.indpred::text, ':location -?\d+', '', 'g')
        )
    ) AS definition,
    c.relpages::bigint * current_setting('block_size')::int AS size,
    -- Until the next vacuum an inverted index that was just built says how many entries it has, and not how many rows.
    greatest(CASE WHEN t.reltuples > 0 THEN least(c.reltuples, t.reltuples) ELSE c.reltuples END, 0)::bigint AS rows,
    greatest(t.reltuples, 0)::bigint AS table_rows,
    t.relpages::bigint * current_setting('block_size')::int AS table_size,
    pg_stat_get_numscans(i.indexrelid) AS scans,
    pg_stat_get_tuples_returned(i.indexrelid) AS entries_read,
    i.indisvalid AS is_valid,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisexclusion AS is_exclusion,
    i.indisreplident AS is_replica_identity,
    c.relkind = 'I' AS is_partitioned,
    c.relpersistence = 't' AS is_temporary,
    n.nspname = 'pg_toast' AS is_toast,
    -- Keys that arrive in no order leave pages two thirds full for good.
    first_key.atttypid IN (
        'uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype
    ) AS is_scattered,
    CASE
        WHEN current_setting('server_version_num')::int >= 170000
            THEN coalesce(has_table_privilege(t.oid, 'MAINTAIN'), FALSE)
        ELSE pg_has_role(t.relowner, 'USAGE')
    END AND has_schema_privilege(n.oid, 'USAGE') AS may_rebuild,
    coalesce(has_table_privilege(t.oid, 'SELECT'), FALSE) AS may_read,
    pg_get_userbyid(t.relowner)::text AS owner
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_class AS t ON t.oid = i.indrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_am AS a ON a.oid = c.relam
LEFT JOIN pg_attribute AS first_key ON first_key.attrelid = i.indexrelid AND first_key.attnum = 1
WHERE
    i.indexrelid >= 16384
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY n.nspname, c.relname
