-- Which roles and tablespaces a server knows, and what our own role may do: what a backup names must be there.
SELECT (SELECT coalesce(array_agg(rolname::text), '{}') FROM pg_roles) AS roles,
       (SELECT coalesce(array_agg(spcname::text), '{}') FROM pg_tablespace) AS tablespaces,
       (SELECT coalesce(array_agg(name::text), '{}') FROM pg_available_extensions) AS extensions,
       r.rolcreatedb OR r.rolsuper AS may_create_databases,
       r.rolcreaterole OR r.rolsuper AS may_create_roles
FROM pg_roles AS r
WHERE r.rolname = current_user
