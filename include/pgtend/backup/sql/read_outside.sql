-- Counts what a dump by this role cannot hold although it is there, and the large objects that it may not open.
SELECT
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
    (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_bypass_rls,
    quote_ident(current_user) AS sql_role,
    -- The bytes of a name that all databases share are those of the database in which it was given.
    CASE WHEN getdatabaseencoding() = 'UTF8' THEN ARRAY(SELECT namesend(rolname) FROM pg_roles ORDER BY oid) ELSE '{}' END AS role_names,
    (SELECT count(s.oid) FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid WHERE d.datname = current_database()) AS subscriptions,
    (SELECT count(*) FROM pg_user_mappings) AS user_mappings,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
    pg_table_size('pg_catalog.pg_largeobject') AS large_objects_size,
    ARRAY(
        SELECT l.oid::bigint FROM pg_largeobject_metadata AS l
        WHERE NOT current_setting('lo_compat_privileges')::bool
          AND NOT pg_has_role(l.lomowner, 'USAGE')
          AND NOT EXISTS (
              SELECT FROM aclexplode(COALESCE(l.lomacl, acldefault('L', l.lomowner))) AS a
              WHERE a.privilege_type = 'SELECT'
                AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END
          )
        ORDER BY l.oid
    ) AS closed_objects
