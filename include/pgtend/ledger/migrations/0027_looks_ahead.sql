-- A look that was dated into the future, by a worker whose clock was ahead, is no later look: it kept every other one out
-- until its time came, which may be a year.

CREATE OR REPLACE FUNCTION reporting.record_health(
    of_database text, looked_at timestamptz, took real, stale_after interval, server text, level text,
    names text[], units text[], readings double precision[], findings jsonb, pools jsonb, memory jsonb
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    before timestamptz;
    soon CONSTANT timestamptz := clock_timestamp() + interval '5 minutes';
BEGIN
    -- Two looks at one database come in one after the other; a look that was overtaken says nothing new.
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.health:' || of_database, 0));
    SELECT known.at INTO before FROM reporting.health_current AS known WHERE known.database = of_database;
    IF before >= looked_at AND (before <= soon OR looked_at > soon) THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM unnest(names) AS name WHERE NOT EXISTS (
            SELECT FROM reporting.health_metric AS metric WHERE metric.name = name)) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.health', 0));
        INSERT INTO reporting.health_metric (place, name, unit)
        SELECT (SELECT coalesce(max(metric.place), 0) FROM reporting.health_metric AS metric)
            + row_number() OVER (ORDER BY given.place), given.name, given.unit
        FROM unnest(names, units) WITH ORDINALITY AS given (name, unit, place)
        WHERE NOT EXISTS (SELECT FROM reporting.health_metric AS metric WHERE metric.name = given.name);
    END IF;
    INSERT INTO reporting.health_reading (database, at, took, numbers)
    SELECT of_database, looked_at, record_health.took, array_agg(given.value::real ORDER BY metric.place)
    FROM reporting.health_metric AS metric
    LEFT JOIN unnest(names, readings) AS given (name, value) ON given.name = metric.name;
    INSERT INTO reporting.health_current AS known (database, at, stale_after, server, level, findings, pools, memory)
        VALUES (of_database, looked_at, record_health.stale_after, record_health.server, record_health.level,
            record_health.findings, record_health.pools, record_health.memory)
        ON CONFLICT (database) DO UPDATE SET at = excluded.at, stale_after = excluded.stale_after,
            server = coalesce(nullif(excluded.server, ''), known.server), level = excluded.level,
            findings = excluded.findings, pools = excluded.pools, memory = excluded.memory;
    IF before IS NULL OR date_trunc('day', before) < date_trunc('day', looked_at) THEN
        PERFORM reporting.health_roll_up(of_database, looked_at);
    END IF;
    RETURN true;
END
$$;
