-- Which roles and tablespaces a server knows, and what our own role may do: what a backup names must be there.
-- Names that all databases share need not be in the encoding of this one, so they come as the bytes that they are.
SELECT ARRAY(SELECT namesend(rolname) FROM pg_roles) AS kept_roles,
       (SELECT coalesce(array_agg(spcname::text), '{}') FROM pg_tablespace) AS tablespaces,
       (SELECT coalesce(array_agg(name::text), '{}') FROM pg_available_extensions) AS extensions,
       r.rolcreatedb OR r.rolsuper AS may_create_databases,
       r.rolcreaterole OR r.rolsuper AS may_create_roles
FROM pg_roles AS r
WHERE r.rolname = current_user
