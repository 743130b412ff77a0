-- What the tender `pgtend` needs to ANALYZE what the owner of this database owns and to see how the server is, and nothing
-- more. Safe to repeat.
-- Up to PostgreSQL 16 only a table's owner may analyze it, so the tender becomes a member; from 17 on there is MAINTAIN.
DO $$
DECLARE
    owner name := (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database());
    place name;
    relation regclass;
BEGIN
    GRANT pg_monitor TO pgtend;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO pgtend', current_database());
    IF current_setting('server_version_num')::integer < 170000 THEN
        EXECUTE format('GRANT %I TO pgtend', owner);
        RETURN;
    END IF;
    FOR place IN SELECT nspname FROM pg_namespace
                 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO pgtend', place);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT MAINTAIN ON TABLES TO pgtend', owner, place);
    END LOOP;
    -- One by one, because ON ALL TABLES would also change the rights of views that belong to an extension.
    FOR relation IN SELECT c.oid FROM pg_class AS c
                    WHERE c.relkind IN ('r', 'p', 'm') AND pg_get_userbyid(c.relowner) = owner LOOP
        EXECUTE format('GRANT MAINTAIN ON %s TO pgtend', relation);
    END LOOP;
END
$$;
