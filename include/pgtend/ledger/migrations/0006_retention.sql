-- Forgetting is dropping whole partitions. The audit is never forgotten.

CREATE FUNCTION reporting.forget(keep interval, actor text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s'
AS $$
DECLARE
    old record;
    forgotten text[] := '{}';
BEGIN
    -- Every writer may call this, so it must not be a way to erase what happened last week.
    IF keep < interval '90 days' THEN
        RAISE EXCEPTION 'the ledger keeps at least 90 days, not %', keep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.reporting.partitions', 0));
    FOR old IN
        SELECT child.relname
        FROM pg_inherits AS tie
        JOIN pg_class AS child ON child.oid = tie.inhrelid
        WHERE child.relnamespace = 'reporting'::regnamespace AND child.relkind = 'r' AND child.relname ~ '_\d{4}_\d\d$'
          AND to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month' <= now() - keep
        ORDER BY child.relname
    LOOP
        PERFORM reporting.append_audit(forget.actor, 'ledger.forgot', old.relname, jsonb_build_object('keep', keep::text));
        EXECUTE format('DROP TABLE reporting.%I', old.relname);
        forgotten := forgotten || old.relname::text;
    END LOOP;
    DELETE FROM reporting.alert WHERE recovered_at < now() - keep;
    RETURN forgotten;
END
$$;

COMMENT ON FUNCTION reporting.forget(interval, text) IS 'Drops the partitions of months that ended longer ago than what is kept, at least 90 days; returns their names.';
