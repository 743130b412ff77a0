-- What grows lies in monthly partitions, so that forgetting is dropping a table and a question about a month reads a month.
--
-- Every partitioned table of this schema is RANGE partitioned by one timestamptz and has a default partition named
-- <table>_default. The default is a net, not a home: a row must never be lost because a month began and nobody had made
-- its partition. The next call of ensure_partitions() moves what fell into it where it belongs.

CREATE FUNCTION reporting.create_partition(parent name, key name, month timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    child name := parent || '_' || to_char(month, 'YYYY_MM');
    net name := parent || '_default';
    next_month timestamptz := month + interval '1 month';
BEGIN
    IF to_regclass(format('reporting.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Made apart and attached, because CREATE TABLE ... PARTITION OF would lock out everybody who reads the parent.
    EXECUTE format('CREATE TABLE reporting.%I (LIKE reporting.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('LOCK TABLE reporting.%I IN ACCESS EXCLUSIVE MODE', net);
    EXECUTE format(
        'WITH moved AS (DELETE FROM reporting.%I WHERE %I >= $1 AND %I < $2 RETURNING *) '
        'INSERT INTO reporting.%I SELECT * FROM moved', net, key, key, child) USING month, next_month;
    EXECUTE format(
        'ALTER TABLE reporting.%I ATTACH PARTITION reporting.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, month, next_month);
    RETURN true;
END
$$;

CREATE FUNCTION reporting.ensure_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s'
AS $$
DECLARE
    growing record;
    month timestamptz;
    created integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.reporting.partitions', 0));
    FOR growing IN
        SELECT parent.relname, key.attname
        FROM pg_partitioned_table AS split
        JOIN pg_class AS parent ON parent.oid = split.partrelid
        JOIN pg_attribute AS key ON key.attrelid = split.partrelid AND key.attnum = split.partattrs[0]
        WHERE parent.relnamespace = 'reporting'::regnamespace
        ORDER BY parent.relname
    LOOP
        FOR month IN EXECUTE format(
            'SELECT generate_series(date_trunc(''month'', now()), now() + make_interval(months => $1), ''1 month'') '
            'UNION SELECT date_trunc(''month'', %I) FROM reporting.%I', growing.attname, growing.relname || '_default')
            USING months_ahead
        LOOP
            created := created + reporting.create_partition(growing.relname, growing.attname, month)::integer;
        END LOOP;
    END LOOP;
    RETURN created;
END
$$;

COMMENT ON FUNCTION reporting.create_partition(name, name, timestamptz) IS 'Makes one monthly partition unless it exists, and moves into it what waits in the default partition.';
COMMENT ON FUNCTION reporting.ensure_partitions(integer) IS 'Makes the partitions of this month and of the months ahead; returns how many were new.';
