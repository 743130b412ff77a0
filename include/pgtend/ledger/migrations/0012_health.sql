-- Health: how every database stands, what it was at every look, and what changed. A look is no run: it changes nothing in
-- the database and comes every five minutes, so it leaves numbers and no entry in the audit.

-- The order of the numbers in a row. A metric keeps its place for ever, and a new one is put behind the last.
CREATE TABLE reporting.health_metric (
    place smallint PRIMARY KEY CHECK (place > 0),
    name text NOT NULL UNIQUE,
    unit text NOT NULL
);

-- One row for each look: a number each for some forty metrics in an array, a tenth of what a row for each would take.
CREATE TABLE reporting.health_reading (
    database text NOT NULL,
    at timestamptz NOT NULL,
    took real NOT NULL,
    numbers real[] NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.health_reading_default PARTITION OF reporting.health_reading DEFAULT;
CREATE INDEX health_reading_at ON reporting.health_reading USING brin (at) WITH (autosummarize = on);
CREATE INDEX health_reading_of ON reporting.health_reading (database, at);

-- What a day was like, made of its looks when the next day begins. This is what trends of months are drawn from.
CREATE TABLE reporting.health_day (
    database text NOT NULL,
    day timestamptz NOT NULL,
    looks integer NOT NULL,
    low real[] NOT NULL,
    mean real[] NOT NULL,
    high real[] NOT NULL,
    last real[] NOT NULL,
    PRIMARY KEY (database, day)
) PARTITION BY RANGE (day);

CREATE TABLE reporting.health_day_default PARTITION OF reporting.health_day DEFAULT;
CREATE INDEX health_day_day ON reporting.health_day USING brin (day) WITH (autosummarize = on);

CREATE TABLE reporting.health_change (
    database text NOT NULL,
    at timestamptz NOT NULL,
    metric text NOT NULL,
    was text NOT NULL,
    level text NOT NULL,
    value double precision,
    about text NOT NULL DEFAULT '',
    reason text NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.health_change_default PARTITION OF reporting.health_change DEFAULT;
CREATE INDEX health_change_at ON reporting.health_change USING brin (at) WITH (autosummarize = on);

-- The largest tables once a day, so that growth has a history.
CREATE TABLE reporting.health_table (
    database text NOT NULL,
    at timestamptz NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    rows bigint NOT NULL,
    dead bigint NOT NULL,
    dead_ratio real NOT NULL,
    stale_ratio real NOT NULL,
    vacuumed_at timestamptz
) PARTITION BY RANGE (at);

CREATE TABLE reporting.health_table_default PARTITION OF reporting.health_table DEFAULT;
CREATE INDEX health_table_at ON reporting.health_table
    USING brin (at, database) WITH (pages_per_range = 16, autosummarize = on);

-- How each database stands now: one row, replaced at every look. Readers and the next look need nothing else.
CREATE TABLE reporting.health_current (
    database text PRIMARY KEY,
    at timestamptz NOT NULL,
    stale_after interval NOT NULL,
    server text NOT NULL,
    level text NOT NULL,
    findings jsonb NOT NULL CHECK (jsonb_typeof(findings) = 'array'),
    pools jsonb NOT NULL CHECK (jsonb_typeof(pools) = 'array'),
    memory jsonb NOT NULL CHECK (jsonb_typeof(memory) = 'object')
) WITH (fillfactor = 30);

CREATE FUNCTION reporting.health_roll_up(of_database text, until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    begin_at timestamptz;
    made integer;
BEGIN
    SELECT max(health_day.day) + interval '1 day' INTO begin_at
        FROM reporting.health_day WHERE health_day.database = of_database;
    INSERT INTO reporting.health_day (database, day, looks, low, mean, high, last)
    SELECT of_database, numbered.day, max(numbered.looks),
        array_agg(numbered.low ORDER BY numbered.place), array_agg(numbered.mean ORDER BY numbered.place),
        array_agg(numbered.high ORDER BY numbered.place), array_agg(numbered.last ORDER BY numbered.place)
    FROM (
        SELECT date_trunc('day', reading.at) AS day, number.place, count(*)::integer AS looks,
            min(number.value) AS low, avg(number.value)::real AS mean, max(number.value) AS high,
            (array_agg(number.value ORDER BY reading.at DESC) FILTER (WHERE number.value IS NOT NULL))[1] AS last
        FROM reporting.health_reading AS reading
        CROSS JOIN LATERAL unnest(reading.numbers) WITH ORDINALITY AS number (value, place)
        WHERE reading.database = of_database AND reading.at < date_trunc('day', until)
          AND reading.at >= coalesce(begin_at, '-infinity')
        GROUP BY 1, 2
    ) AS numbered
    GROUP BY numbered.day
    ON CONFLICT (database, day) DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END
$$;

CREATE FUNCTION reporting.record_health(
    of_database text, looked_at timestamptz, took real, stale_after interval, server text, level text,
    names text[], units text[], readings double precision[], findings jsonb, pools jsonb, memory jsonb
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    before timestamptz;
BEGIN
    -- Two looks at one database come in one after the other; a look that was overtaken says nothing new.
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.health:' || of_database, 0));
    SELECT known.at INTO before FROM reporting.health_current AS known WHERE known.database = of_database;
    IF before >= looked_at THEN
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

-- Single looks are forgotten long before what the days were made of them.
CREATE FUNCTION reporting.forget_readings(keep interval, actor text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s'
AS $$
DECLARE
    old record;
    forgotten text[] := '{}';
BEGIN
    IF keep < interval '14 days' THEN
        RAISE EXCEPTION 'readings are kept at least 14 days, not %', keep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.reporting.partitions', 0));
    FOR old IN
        SELECT child.relname
        FROM pg_inherits AS tie
        JOIN pg_class AS child ON child.oid = tie.inhrelid
        WHERE tie.inhparent = 'reporting.health_reading'::regclass AND child.relname ~ '_\d{4}_\d\d$'
          AND to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month' <= now() - keep
        ORDER BY child.relname
    LOOP
        PERFORM reporting.append_audit(forget_readings.actor, 'ledger.forgot', old.relname,
            jsonb_build_object('keep', keep::text));
        EXECUTE format('DROP TABLE reporting.%I', old.relname);
        forgotten := forgotten || old.relname::text;
    END LOOP;
    RETURN forgotten;
END
$$;

CREATE VIEW reporting.health AS
SELECT known.database, found.watched AS metric, metric.unit,
    -- A database that nobody has looked at for long is not as it was: nobody knows how it is.
    CASE WHEN now() - known.at > known.stale_after AND found.level <> 'not watched' THEN 'unknown' ELSE found.level END
        AS level,
    found.value, found.about,
    CASE WHEN now() - known.at > known.stale_after AND found.level <> 'not watched' THEN 'nobody has looked since'
        ELSE coalesce(nullif(found.explanation, ''), found.reason) END AS reason,
    found.since, known.at AS looked_at
FROM reporting.health_current AS known
CROSS JOIN LATERAL jsonb_to_recordset(known.findings) AS found (
    watched text, level text, value double precision, about text, reason text, explanation text, since timestamptz)
LEFT JOIN reporting.health_metric AS metric ON metric.name = found.watched;

CREATE VIEW reporting.health_databases AS
SELECT database, server, at AS looked_at, now() - at AS age, now() - at > stale_after AS is_stale,
    CASE WHEN now() - at > stale_after THEN 'unknown' ELSE level END AS level
FROM reporting.health_current;

CREATE VIEW reporting.health_readings AS
SELECT reading.at, reading.database, metric.name AS metric, metric.unit, number.value
FROM reporting.health_reading AS reading
CROSS JOIN LATERAL unnest(reading.numbers) WITH ORDINALITY AS number (value, place)
JOIN reporting.health_metric AS metric ON metric.place = number.place
WHERE number.value IS NOT NULL;

CREATE VIEW reporting.health_days AS
SELECT day.day, day.database, metric.name AS metric, metric.unit, day.looks,
    day.low[metric.place] AS low, day.mean[metric.place] AS mean, day.high[metric.place] AS high,
    day.last[metric.place] AS last
FROM reporting.health_day AS day
CROSS JOIN reporting.health_metric AS metric
WHERE day.last[metric.place] IS NOT NULL;

CREATE VIEW reporting.health_changes AS
SELECT at, database, metric, was, level, value, about, reason
FROM reporting.health_change;

CREATE VIEW reporting.health_tables AS
SELECT at, database, name, size, rows, dead, dead_ratio, stale_ratio, vacuumed_at
FROM reporting.health_table;

CREATE VIEW reporting.health_pools AS
SELECT known.database, pool.application, pool.role, pool.sessions, pool.active, pool.idle, pool.idle_in_transaction,
    pool.idle_long, known.at AS looked_at
FROM reporting.health_current AS known
CROSS JOIN LATERAL jsonb_to_recordset(known.pools) AS pool (
    application text, role text, sessions integer, active integer, idle integer, idle_in_transaction integer,
    idle_long integer);

COMMENT ON TABLE reporting.health_metric IS 'The names of what is watched, and their place in the arrays.';
COMMENT ON TABLE reporting.health_reading IS 'Every look at every database: one number for each metric.';
COMMENT ON TABLE reporting.health_day IS 'What each day was like: the lowest, mean, highest and last number of each metric.';
COMMENT ON TABLE reporting.health_change IS 'Every time a metric got better or worse.';
COMMENT ON TABLE reporting.health_table IS 'The largest tables of every database, once a day.';
COMMENT ON TABLE reporting.health_current IS 'How each database stood at the last look, and what the next look compares with.';
COMMENT ON FUNCTION reporting.health_roll_up(text, timestamptz) IS 'Makes the days before a moment out of single looks, where they are not made yet; returns how many.';
COMMENT ON FUNCTION reporting.record_health(text, timestamptz, real, interval, text, text, text[], text[], double precision[], jsonb, jsonb, jsonb) IS 'Keeps one look at a database; false when a later look is known already.';
COMMENT ON FUNCTION reporting.forget_readings(interval, text) IS 'Drops single looks of months that ended longer ago than what is kept, at least 14 days; returns the names of their partitions.';

COMMENT ON VIEW reporting.health IS 'How every metric of every database stands now. What nobody has looked at for long is unknown, not what it was.';
COMMENT ON COLUMN reporting.health.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health.metric IS 'What is watched, such as connections_used.';
COMMENT ON COLUMN reporting.health.unit IS 'What its number counts: percent, seconds, bytes, days, times, amount or per second.';
COMMENT ON COLUMN reporting.health.level IS 'not watched, ok, unknown, warning or critical.';
COMMENT ON COLUMN reporting.health.value IS 'The number; null where it could not be read.';
COMMENT ON COLUMN reporting.health.about IS 'Which table, session or slot it is about, where one is the worst.';
COMMENT ON COLUMN reporting.health.reason IS 'Why it has this level, with the limits.';
COMMENT ON COLUMN reporting.health.since IS 'Since when it has this level.';
COMMENT ON COLUMN reporting.health.looked_at IS 'When the database was looked at.';
COMMENT ON VIEW reporting.health_databases IS 'The worst level of every database, and how old that knowledge is.';
COMMENT ON COLUMN reporting.health_databases.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_databases.server IS 'Version of its server; empty when it never answered.';
COMMENT ON COLUMN reporting.health_databases.looked_at IS 'When it was looked at.';
COMMENT ON COLUMN reporting.health_databases.age IS 'How long ago that was.';
COMMENT ON COLUMN reporting.health_databases.is_stale IS 'Whether that is too long ago to say how it stands.';
COMMENT ON COLUMN reporting.health_databases.level IS 'The worst level of its metrics; unknown when nobody has looked for too long.';
COMMENT ON VIEW reporting.health_readings IS 'Every single number, for charts of hours and days; ask with a range of at.';
COMMENT ON COLUMN reporting.health_readings.at IS 'When the database was looked at.';
COMMENT ON COLUMN reporting.health_readings.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_readings.metric IS 'What is watched.';
COMMENT ON COLUMN reporting.health_readings.unit IS 'What its number counts.';
COMMENT ON COLUMN reporting.health_readings.value IS 'The number.';
COMMENT ON VIEW reporting.health_days IS 'What each day was like, for charts of months and years; ask with a range of day.';
COMMENT ON COLUMN reporting.health_days.day IS 'The day, by its beginning in UTC.';
COMMENT ON COLUMN reporting.health_days.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_days.metric IS 'What is watched.';
COMMENT ON COLUMN reporting.health_days.unit IS 'What its numbers count.';
COMMENT ON COLUMN reporting.health_days.looks IS 'How many looks the day is made of.';
COMMENT ON COLUMN reporting.health_days.low IS 'The lowest number of the day.';
COMMENT ON COLUMN reporting.health_days.mean IS 'The mean.';
COMMENT ON COLUMN reporting.health_days.high IS 'The highest number of the day.';
COMMENT ON COLUMN reporting.health_days.last IS 'The last number of the day.';
COMMENT ON VIEW reporting.health_changes IS 'Every time a metric got better or worse.';
COMMENT ON COLUMN reporting.health_changes.at IS 'When it was seen.';
COMMENT ON COLUMN reporting.health_changes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_changes.metric IS 'What is watched.';
COMMENT ON COLUMN reporting.health_changes.was IS 'The level before.';
COMMENT ON COLUMN reporting.health_changes.level IS 'The level after.';
COMMENT ON COLUMN reporting.health_changes.value IS 'The number; null where it could not be read.';
COMMENT ON COLUMN reporting.health_changes.about IS 'Which table, session or slot it is about.';
COMMENT ON COLUMN reporting.health_changes.reason IS 'Why it got this level.';
COMMENT ON VIEW reporting.health_tables IS 'The largest tables of every database, and those VACUUM or ANALYZE is behind with, once a day.';
COMMENT ON COLUMN reporting.health_tables.at IS 'When they were looked at.';
COMMENT ON COLUMN reporting.health_tables.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_tables.name IS 'Schema and table.';
COMMENT ON COLUMN reporting.health_tables.size IS 'Bytes of the table, its indexes and its TOAST, as of the last VACUUM or ANALYZE.';
COMMENT ON COLUMN reporting.health_tables.rows IS 'Rows, as the server estimates.';
COMMENT ON COLUMN reporting.health_tables.dead IS 'Dead rows that VACUUM has not removed.';
COMMENT ON COLUMN reporting.health_tables.dead_ratio IS 'Dead rows as a multiple of the number at which autovacuum begins.';
COMMENT ON COLUMN reporting.health_tables.stale_ratio IS 'Rows changed since ANALYZE, as a multiple of the number at which autovacuum begins.';
COMMENT ON COLUMN reporting.health_tables.vacuumed_at IS 'The last VACUUM; null when the server knows of none.';
COMMENT ON VIEW reporting.health_pools IS 'Who holds connections to each database, at the last look.';
COMMENT ON COLUMN reporting.health_pools.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.health_pools.application IS 'application_name of the sessions.';
COMMENT ON COLUMN reporting.health_pools.role IS 'Role that logged in.';
COMMENT ON COLUMN reporting.health_pools.sessions IS 'How many sessions it has.';
COMMENT ON COLUMN reporting.health_pools.active IS 'How many of them run a statement.';
COMMENT ON COLUMN reporting.health_pools.idle IS 'How many wait for their client.';
COMMENT ON COLUMN reporting.health_pools.idle_in_transaction IS 'How many hold a transaction open and do nothing.';
COMMENT ON COLUMN reporting.health_pools.idle_long IS 'How many have been idle for longer than the fleet file allows.';
COMMENT ON COLUMN reporting.health_pools.looked_at IS 'When they were counted.';

REVOKE ALL ON FUNCTION reporting.health_roll_up, reporting.record_health, reporting.forget_readings FROM PUBLIC;
GRANT SELECT ON reporting.health, reporting.health_databases, reporting.health_readings, reporting.health_days,
    reporting.health_changes, reporting.health_tables, reporting.health_pools TO pgtend_reader, pgtend_writer;
GRANT SELECT ON reporting.health_current TO pgtend_writer;
GRANT EXECUTE ON FUNCTION reporting.record_health, reporting.health_roll_up, reporting.forget_readings TO pgtend_writer;
GRANT INSERT ON reporting.health_change, reporting.health_table TO pgtend_writer;
