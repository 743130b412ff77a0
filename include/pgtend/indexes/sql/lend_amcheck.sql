-- Lends a throwaway copy what can check its indexes, where the host has it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS x WHERE x.name = 'amcheck') THEN
        CREATE EXTENSION amcheck SCHEMA pg_catalog;
    END IF;
END
$$
