-- Where a role looks for names that have no schema, so that its statements mean here what they mean there.
SELECT replace(
    coalesce(
        (SELECT substr(setting, length('search_path=') + 1)
            FROM pg_db_role_setting AS kept, unnest(kept.setconfig) AS setting
            WHERE starts_with(setting, 'search_path=')
              AND kept.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
              AND kept.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = %(role)s::text))
            ORDER BY kept.setrole <> 0 AND kept.setdatabase <> 0 DESC, kept.setrole <> 0 DESC
            LIMIT 1),
        '"$user", public'),
    '"$user"', quote_ident(%(role)s::text)) AS search_path
