-- Everything the migrations made, as sorted lines that are the same on every supported version of PostgreSQL, so that
-- a ledger can be held against the schema we declare. Partitions are left out: which months exist depends on the day.
-- on: ledger
WITH room AS (SELECT oid FROM pg_namespace WHERE nspname = 'reporting'),
things AS (
    SELECT thing.* FROM pg_class AS thing JOIN room ON room.oid = thing.relnamespace
    WHERE NOT thing.relispartition AND thing.relkind IN ('r', 'p', 'v')
),
grants AS (
    SELECT 'table ' || things.relname AS what, entry.* FROM things, aclexplode(things.relacl) AS entry
    UNION ALL
    SELECT 'function ' || act.proname, entry.*
    FROM pg_proc AS act JOIN room ON room.oid = act.pronamespace,
        aclexplode(coalesce(act.proacl, acldefault('f', act.proowner))) AS entry
    UNION ALL
    SELECT 'schema', entry.* FROM pg_namespace AS this JOIN room USING (oid), aclexplode(this.nspacl) AS entry
),
lines AS (
    SELECT concat(CASE relkind WHEN 'v' THEN 'view ' ELSE 'table ' END, relname,
        ' partitioned by ' || pg_get_partkeydef(oid)) AS line
    FROM things
    UNION ALL
    SELECT concat('column ', things.relname, '.', attname, ' ', format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid))
    FROM things JOIN pg_attribute ON attrelid = things.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = things.oid AND adnum = attnum
    UNION ALL
    SELECT concat('constraint ', things.relname, '.', conname, ' ', pg_get_constraintdef(pg_constraint.oid))
    -- From version 18 on, NOT NULL is a constraint too; the columns above say it on all versions.
    FROM things JOIN pg_constraint ON conrelid = things.oid AND contype <> 'n'
    UNION ALL
    SELECT 'index ' || pg_get_indexdef(indexrelid) FROM things JOIN pg_index ON indrelid = things.oid
    UNION ALL
    SELECT concat('trigger ', pg_get_triggerdef(pg_trigger.oid), ' enabled ', tgenabled)
    FROM things JOIN pg_trigger ON tgrelid = things.oid AND NOT tgisinternal
    UNION ALL
    -- Versions differ in where they put the name of a table before that of a column.
    SELECT concat('view ', relname, ' sha256 ',
        encode(sha256(convert_to(regexp_replace(pg_get_viewdef(oid), '\s+|\m\w+\.', '', 'g'), 'UTF8')), 'hex'))
    FROM things WHERE relkind = 'v'
    UNION ALL
    SELECT concat('function ', proname, '(', pg_get_function_identity_arguments(pg_proc.oid), ') returns ',
        pg_get_function_result(pg_proc.oid), CASE WHEN prosecdef THEN ' security definer' END, ' set ' || proconfig::text,
        ' sha256 ', encode(sha256(convert_to(coalesce(nullif(prosrc, ''), pg_get_function_sqlbody(pg_proc.oid)), 'UTF8')), 'hex'))
    FROM pg_proc JOIN room ON room.oid = pronamespace
    UNION ALL
    SELECT concat('grant ', privilege_type, ' on ', what, ' to ', coalesce(rolname, 'PUBLIC'))
    FROM grants LEFT JOIN pg_roles ON pg_roles.oid = grantee
    WHERE grantee = 0 OR rolname IN ('pgtend_reader', 'pgtend_writer')
)
SELECT line FROM lines ORDER BY line COLLATE "C"
