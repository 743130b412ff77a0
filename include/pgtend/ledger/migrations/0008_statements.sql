-- What every statement cost, night by night, as differences between readings of pg_stat_statements.
--
-- Counters of a day are NULL where nothing was counted, which is most of them: a row then takes a third of the room.
-- Times are milliseconds, exec_ssq is the sum of the squares of the times of all calls, so that the variance of any span
-- of days is exact. One reading fills one night of one target in one transaction: all of it is there or nothing.

CREATE TABLE reporting.statement_target (
    target_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    database text NOT NULL,
    replica text NOT NULL DEFAULT '',
    slow_ms double precision NOT NULL DEFAULT 100,
    CONSTRAINT statement_target_name UNIQUE (database, replica)
);

CREATE TABLE reporting.statement_snapshot (
    snapshot_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id smallint NOT NULL REFERENCES reporting.statement_target,
    day date NOT NULL,
    run_id text NOT NULL,
    taken_at timestamptz NOT NULL,
    since timestamptz,
    baseline_reason text NOT NULL DEFAULT '',
    readings integer NOT NULL DEFAULT 1,
    missed_nights integer NOT NULL DEFAULT 0,
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    postmaster_started_at timestamptz NOT NULL,
    is_standby boolean NOT NULL,
    server_version integer NOT NULL,
    extension_version text NOT NULL,
    database_oid bigint NOT NULL,
    has_stats_since boolean NOT NULL,
    stats_reset timestamptz,
    resets integer NOT NULL DEFAULT 0,
    dealloc bigint,
    deallocated bigint,
    capacity integer NOT NULL,
    entries_on_server integer NOT NULL,
    entries integer NOT NULL DEFAULT 0,
    entries_new integer NOT NULL DEFAULT 0,
    entries_reset integer NOT NULL DEFAULT 0,
    entries_gone integer NOT NULL DEFAULT 0,
    entries_counted integer NOT NULL DEFAULT 0,
    texts_missing integer NOT NULL DEFAULT 0,
    calls bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    exec_ms double precision NOT NULL DEFAULT 0,
    plan_ms double precision NOT NULL DEFAULT 0,
    io_ms double precision NOT NULL DEFAULT 0,
    blocks_read bigint NOT NULL DEFAULT 0,
    temp_blocks bigint NOT NULL DEFAULT 0,
    wal_bytes bigint NOT NULL DEFAULT 0,
    active_total_ms double precision,
    active_ms double precision,
    bytes_copied bigint NOT NULL DEFAULT 0,
    took interval,
    CONSTRAINT statement_snapshot_night UNIQUE (target_id, day)
);

CREATE TABLE reporting.statement (
    statement_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    query text NOT NULL,
    query_hash bytea NOT NULL UNIQUE,
    scrub_version smallint NOT NULL,
    last_seen date NOT NULL
);
CREATE INDEX statement_fingerprint ON reporting.statement (fingerprint);

CREATE TABLE reporting.statement_series (
    series_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id smallint NOT NULL REFERENCES reporting.statement_target,
    database_oid bigint NOT NULL,
    role_oid bigint NOT NULL,
    is_toplevel boolean NOT NULL,
    queryid bigint NOT NULL,
    role text NOT NULL DEFAULT '',
    fingerprint text NOT NULL,
    statement_id integer REFERENCES reporting.statement ON DELETE SET NULL,
    first_seen date NOT NULL,
    last_seen date NOT NULL,
    CONSTRAINT statement_series_identity UNIQUE (target_id, database_oid, role_oid, is_toplevel, queryid)
);
CREATE INDEX statement_series_fingerprint ON reporting.statement_series (fingerprint);
CREATE INDEX statement_series_statement ON reporting.statement_series (statement_id);

-- The counters as the server showed them last; what comes next is counted from here.
CREATE TABLE reporting.statement_counter (
    series_id integer PRIMARY KEY REFERENCES reporting.statement_series ON DELETE CASCADE,
    calls bigint, plans bigint, rows bigint,
    exec_ms double precision, exec_ssq double precision, plan_ms double precision,
    shared_blks_hit bigint, shared_blks_read bigint, shared_blks_dirtied bigint, shared_blks_written bigint,
    local_blks_hit bigint, local_blks_read bigint, local_blks_dirtied bigint, local_blks_written bigint,
    temp_blks_read bigint, temp_blks_written bigint,
    shared_read_ms double precision, shared_write_ms double precision,
    local_read_ms double precision, local_write_ms double precision,
    temp_read_ms double precision, temp_write_ms double precision,
    wal_records bigint, wal_fpi bigint, wal_bytes bigint, wal_buffers_full bigint,
    jit_functions bigint, jit_ms double precision,
    parallel_to_launch bigint, parallel_launched bigint, generic_plans bigint, custom_plans bigint,
    min_exec_ms double precision, max_exec_ms double precision,
    stats_since timestamptz, minmax_since timestamptz
) WITH (fillfactor = 60);

CREATE TABLE reporting.statement_day (
    day date NOT NULL,
    target_id smallint NOT NULL,
    flags smallint NOT NULL,
    series_id integer NOT NULL,
    calls bigint, plans bigint, rows bigint,
    exec_ms double precision, exec_ssq double precision, plan_ms double precision,
    shared_blks_hit bigint, shared_blks_read bigint, shared_blks_dirtied bigint, shared_blks_written bigint,
    local_blks_hit bigint, local_blks_read bigint, local_blks_dirtied bigint, local_blks_written bigint,
    temp_blks_read bigint, temp_blks_written bigint,
    shared_read_ms double precision, shared_write_ms double precision,
    local_read_ms double precision, local_write_ms double precision,
    temp_read_ms double precision, temp_write_ms double precision,
    wal_records bigint, wal_fpi bigint, wal_bytes bigint, wal_buffers_full bigint,
    jit_functions bigint, jit_ms double precision,
    parallel_to_launch bigint, parallel_launched bigint, generic_plans bigint, custom_plans bigint
) PARTITION BY RANGE (day);
CREATE TABLE reporting.statement_day_default PARTITION OF reporting.statement_day DEFAULT;
CREATE UNIQUE INDEX statement_day_series ON reporting.statement_day (series_id, day);
-- The rows of one target and day are written together, so a few pages of this index answer for a night.
CREATE INDEX statement_day_at ON reporting.statement_day
    USING brin (day, target_id) WITH (pages_per_range = 16, autosummarize = on);

-- A month when it is over: small enough to be kept for ever.
CREATE TABLE reporting.statement_month (LIKE reporting.statement_day);
ALTER TABLE reporting.statement_month RENAME COLUMN day TO month;
ALTER TABLE reporting.statement_month DROP COLUMN flags;
ALTER TABLE reporting.statement_month ADD PRIMARY KEY (target_id, month, series_id);

CREATE FUNCTION reporting.statement_counters() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['calls', 'plans', 'rows', 'exec_ms', 'exec_ssq', 'plan_ms',
    'shared_blks_hit', 'shared_blks_read', 'shared_blks_dirtied', 'shared_blks_written',
    'local_blks_hit', 'local_blks_read', 'local_blks_dirtied', 'local_blks_written',
    'temp_blks_read', 'temp_blks_written',
    'shared_read_ms', 'shared_write_ms', 'local_read_ms', 'local_write_ms', 'temp_read_ms', 'temp_write_ms',
    'wal_records', 'wal_fpi', 'wal_bytes', 'wal_buffers_full',
    'jit_functions', 'jit_ms', 'parallel_to_launch', 'parallel_launched', 'generic_plans', 'custom_plans'];

-- The stage is a temporary table in the session of the job. It is made by the owner of the ledger, and nothing in it is
-- believed unless it was: a table or view of another owner could run code with our rights.
CREATE FUNCTION reporting.begin_statements(database text, replica text, day date, slow_ms double precision)
RETURNS TABLE (target smallint, nights bigint, newest date)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    month timestamptz := date_trunc('month', begin_statements.day::timestamptz);
BEGIN
    -- Two readings of one target at once would count the same calls twice.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('pgtend.statements:%s/%s', database, replica), 0));
    INSERT INTO reporting.statement_target AS known (database, replica, slow_ms)
        VALUES (begin_statements.database, begin_statements.replica, begin_statements.slow_ms)
        ON CONFLICT ON CONSTRAINT statement_target_name
        DO UPDATE SET slow_ms = excluded.slow_ms WHERE known.slow_ms <> excluded.slow_ms;
    SELECT known.target_id INTO target FROM reporting.statement_target AS known
        WHERE known.database = begin_statements.database AND known.replica = begin_statements.replica;
    SELECT max(taken.day), count(*) INTO newest, nights FROM reporting.statement_snapshot AS taken
        WHERE taken.target_id = target;
    PERFORM reporting.create_partition('statement_day', 'day', month);
    CREATE TEMPORARY TABLE pgtend_statement_stage (
        role_oid bigint NOT NULL, is_toplevel boolean NOT NULL, queryid bigint NOT NULL,
        LIKE reporting.statement_counter, database_oid bigint
    ) ON COMMIT DROP;
    ALTER TABLE pg_temp.pgtend_statement_stage DROP COLUMN series_id;
    EXECUTE format('GRANT INSERT ON pg_temp.pgtend_statement_stage TO %I', session_user);
    RETURN NEXT;
END
$$;

CREATE FUNCTION reporting.require_statement_stage() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('pg_temp.pgtend_statement_stage')
            AND relkind = 'r' AND relowner = current_user::regrole) THEN
        RAISE EXCEPTION 'no reading of statements was begun in this transaction'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;

CREATE FUNCTION reporting.unknown_statements(target smallint) RETURNS TABLE (queryid bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM reporting.require_statement_stage();
    RETURN QUERY
        SELECT DISTINCT seen.queryid FROM pg_temp.pgtend_statement_stage AS seen
        LEFT JOIN reporting.statement_series AS known ON known.target_id = unknown_statements.target
            AND known.database_oid = seen.database_oid AND known.role_oid = seen.role_oid
            AND known.is_toplevel = seen.is_toplevel AND known.queryid = seen.queryid
        WHERE known.statement_id IS NULL;
END
$$;

CREATE FUNCTION reporting.add_statement_texts(
    target smallint, day date, scrub_version smallint, database_oid bigint, role_oids bigint[], toplevels boolean[],
    queryids bigint[], roles text[], fingerprints text[], queries text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO reporting.statement AS known (fingerprint, query, query_hash, scrub_version, last_seen)
        SELECT DISTINCT ON (hash) text.fingerprint, text.query, hash, add_statement_texts.scrub_version, add_statement_texts.day
        FROM unnest(fingerprints, queries) AS text (fingerprint, query),
            sha256(convert_to(text.query, 'UTF8')) AS hash
        ON CONFLICT (query_hash) DO NOTHING;
    INSERT INTO reporting.statement_series AS known
            (target_id, database_oid, role_oid, is_toplevel, queryid, role, fingerprint, statement_id, first_seen, last_seen)
        SELECT add_statement_texts.target, add_statement_texts.database_oid, told.role_oid, told.is_toplevel, told.queryid,
            told.role, text.fingerprint, text.statement_id, add_statement_texts.day, add_statement_texts.day
        FROM unnest(role_oids, toplevels, queryids, roles, queries) AS told (role_oid, is_toplevel, queryid, role, query)
        JOIN reporting.statement AS text ON text.query_hash = sha256(convert_to(told.query, 'UTF8'))
        ON CONFLICT ON CONSTRAINT statement_series_identity
        DO UPDATE SET role = excluded.role, fingerprint = excluded.fingerprint, statement_id = excluded.statement_id;
END
$$;

-- Why the counters of this reading cannot be compared with those of the one before; empty when they can.
--
-- A server process that has not restarted is the same server, whatever else changed. Another one went on counting only
-- when its statistics began before the last reading and nothing says that it is another server.
CREATE FUNCTION reporting.statement_baseline(before reporting.statement_snapshot, seen reporting.statement_snapshot)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN before.snapshot_id IS NULL THEN 'first reading'
    WHEN before.database_oid <> seen.database_oid AND NOT seen.has_stats_since THEN 'another database has this name now'
    WHEN before.system_identifier <> seen.system_identifier THEN 'another cluster answers'
    WHEN before.postmaster_started_at = seen.postmaster_started_at THEN ''
    WHEN before.is_standby <> seen.is_standby THEN 'another server answers: primary and standby changed places'
    WHEN before.timeline <> seen.timeline THEN 'another server answers: a standby was promoted'
    WHEN before.stats_reset IS DISTINCT FROM seen.stats_reset AND seen.stats_reset IS NOT NULL
        AND seen.stats_reset < before.taken_at THEN 'another server answers: its counters are older'
    ELSE '' END;

CREATE FUNCTION reporting.finish_statements(target smallint, day date, facts jsonb)
RETURNS SETOF reporting.statement_snapshot
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    seen reporting.statement_snapshot := jsonb_populate_record(NULL::reporting.statement_snapshot, facts);
    before reporting.statement_snapshot;
    everything_reset boolean;
    counters text[] := reporting.statement_counters();
    judged text;
    kept text;
BEGIN
    PERFORM reporting.require_statement_stage();
    SELECT taken.* INTO before FROM reporting.statement_snapshot AS taken
        WHERE taken.target_id = finish_statements.target ORDER BY taken.day DESC LIMIT 1;
    IF before.day > finish_statements.day THEN
        RAISE EXCEPTION 'night % is over: % was read already', finish_statements.day, before.day
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    seen.baseline_reason := reporting.statement_baseline(before, seen);
    everything_reset := before.stats_reset IS DISTINCT FROM seen.stats_reset AND seen.stats_reset >= before.taken_at;
    INSERT INTO reporting.statement_series
            (target_id, database_oid, role_oid, is_toplevel, queryid, fingerprint, first_seen, last_seen)
        SELECT finish_statements.target, stage.database_oid, stage.role_oid, stage.is_toplevel, stage.queryid,
            'queryid:' || stage.queryid, finish_statements.day, finish_statements.day
        FROM pg_temp.pgtend_statement_stage AS stage
        ON CONFLICT ON CONSTRAINT statement_series_identity DO UPDATE SET last_seen = excluded.last_seen
            WHERE statement_series.last_seen < excluded.last_seen;
    -- A nullable counter makes a comparison unknown, and unknown is not a reset. What cannot be compared, because a
    -- column came with a new version of the extension, counts as nothing.
    SELECT string_agg(format(
            CASE name WHEN 'exec_ssq' THEN 'seen.%1$I < last.%1$I * (1 - 1e-9)' ELSE 'seen.%1$I < last.%1$I' END, name), ' OR ')
        INTO judged FROM unnest(counters) AS name;
    SELECT string_agg(format(
            'nullif(greatest(CASE WHEN is_new OR is_reset THEN seen_%1$I ELSE seen_%1$I - last_%1$I END, 0), 0)', name), ', ')
        INTO kept FROM unnest(counters) AS name;
    EXECUTE format($query$
        WITH compared AS MATERIALIZED (
            SELECT series.series_id, last.series_id IS NULL AS is_new,
                last.series_id IS NOT NULL AND coalesce($3 OR seen.stats_since IS DISTINCT FROM last.stats_since OR %1$s
                    OR seen.minmax_since IS NOT DISTINCT FROM last.minmax_since
                       AND (seen.max_exec_ms < last.max_exec_ms OR seen.min_exec_ms > last.min_exec_ms), false) AS is_reset,
                seen.stats_since, seen.minmax_since, seen.min_exec_ms, seen.max_exec_ms, %2$s
            FROM pg_temp.pgtend_statement_stage AS seen
            JOIN reporting.statement_series AS series ON series.target_id = $1 AND series.database_oid = seen.database_oid
                AND series.role_oid = seen.role_oid AND series.is_toplevel = seen.is_toplevel
                AND series.queryid = seen.queryid
            LEFT JOIN reporting.statement_counter AS last ON last.series_id = series.series_id
        ), counted AS (
            INSERT INTO reporting.statement_day AS night (day, target_id, flags, series_id, %3$s)
            SELECT $2, $1, is_new::integer + 2 * is_reset::integer, series_id, %4$s FROM compared
            -- What is new but began before the last reading was merely not seen then.
            WHERE $4 AND CASE WHEN is_new THEN coalesce(stats_since >= $5, true) WHEN is_reset THEN true
                ELSE seen_calls > last_calls OR coalesce(seen_plans > last_plans, false) END
            ORDER BY series_id
            ON CONFLICT (series_id, day) DO UPDATE SET flags = night.flags | excluded.flags, %5$s
        ), remembered AS (
            INSERT INTO reporting.statement_counter AS known
                (series_id, stats_since, minmax_since, min_exec_ms, max_exec_ms, %3$s)
            SELECT series_id, stats_since, minmax_since, min_exec_ms, max_exec_ms, %6$s FROM compared
            WHERE is_new OR is_reset OR NOT $4 OR (seen_calls, seen_plans) IS DISTINCT FROM (last_calls, last_plans)
            ON CONFLICT (series_id) DO UPDATE SET stats_since = excluded.stats_since,
                minmax_since = excluded.minmax_since, min_exec_ms = excluded.min_exec_ms,
                max_exec_ms = excluded.max_exec_ms, %7$s
        ), gone AS (
            -- What comes back after it was evicted starts at zero.
            DELETE FROM reporting.statement_counter AS left_behind USING reporting.statement_series AS series
            WHERE series.series_id = left_behind.series_id AND series.target_id = $1
              AND NOT EXISTS (SELECT FROM compared WHERE compared.series_id = left_behind.series_id)
            RETURNING 1
        )
        SELECT count(*), count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_reset), (SELECT count(*) FROM gone)
        FROM compared
        $query$, judged,
        (SELECT string_agg(format('seen.%1$I AS seen_%1$I, last.%1$I AS last_%1$I', name), ', ') FROM unnest(counters) AS name),
        (SELECT string_agg(quote_ident(name), ', ') FROM unnest(counters) AS name),
        kept,
        (SELECT string_agg(format('%1$I = nullif(coalesce(night.%1$I, 0) + coalesce(excluded.%1$I, 0), 0)', name), ', ')
            FROM unnest(counters) AS name),
        (SELECT string_agg(format('seen_%I', name), ', ') FROM unnest(counters) AS name),
        (SELECT string_agg(format('%1$I = excluded.%1$I', name), ', ') FROM unnest(counters) AS name))
        INTO seen.entries, seen.entries_new, seen.entries_reset, seen.entries_gone
        USING target, day, everything_reset, seen.baseline_reason = '', before.taken_at;
    seen.target_id := finish_statements.target;
    seen.day := finish_statements.day;
    RETURN QUERY SELECT * FROM reporting.close_statement_night(seen, before, everything_reset);
END
$$;

-- Writes the night down: its sums and its quality, on top of an earlier reading of the same night when there was one.
CREATE FUNCTION reporting.close_statement_night(
    seen reporting.statement_snapshot, before reporting.statement_snapshot, everything_reset boolean
) RETURNS SETOF reporting.statement_snapshot
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_counted boolean := seen.baseline_reason = '';
    -- All null when this is the first reading of the night.
    earlier reporting.statement_snapshot := CASE WHEN before.day = seen.day THEN before END;
BEGIN
    SELECT count(*), coalesce(sum(night.calls), 0), coalesce(sum(night.rows), 0), coalesce(sum(night.exec_ms), 0),
            coalesce(sum(night.plan_ms), 0),
            coalesce(sum(night.shared_read_ms), 0) + coalesce(sum(night.shared_write_ms), 0)
                + coalesce(sum(night.temp_read_ms), 0) + coalesce(sum(night.temp_write_ms), 0),
            coalesce(sum(night.shared_blks_read), 0),
            coalesce(sum(night.temp_blks_read), 0) + coalesce(sum(night.temp_blks_written), 0),
            coalesce(sum(night.wal_bytes), 0)
        INTO seen.entries_counted, seen.calls, seen.rows, seen.exec_ms, seen.plan_ms, seen.io_ms, seen.blocks_read,
            seen.temp_blocks, seen.wal_bytes
        FROM reporting.statement_day AS night WHERE night.day = seen.day AND night.target_id = seen.target_id;
    SELECT count(*) INTO seen.texts_missing FROM reporting.statement_series AS series
        WHERE series.target_id = seen.target_id AND series.last_seen = seen.day AND series.statement_id IS NULL;
    seen.since := CASE WHEN is_counted THEN coalesce(earlier.since, before.taken_at) END;
    seen.baseline_reason := coalesce(nullif(seen.baseline_reason, ''), earlier.baseline_reason, '');
    seen.readings := coalesce(earlier.readings, 0) + 1;
    seen.missed_nights := coalesce(earlier.missed_nights, greatest(seen.day - before.day - 1, 0), 0);
    seen.resets := coalesce(earlier.resets, 0) + (is_counted AND coalesce(everything_reset, false))::integer;
    seen.entries_new := coalesce(earlier.entries_new, 0) + seen.entries_new;
    seen.entries_reset := coalesce(earlier.entries_reset, 0) + seen.entries_reset;
    seen.entries_gone := coalesce(earlier.entries_gone, 0) + seen.entries_gone;
    seen.deallocated := coalesce(earlier.deallocated, 0) + CASE WHEN NOT is_counted THEN 0
        WHEN coalesce(everything_reset, false) THEN seen.dealloc ELSE greatest(seen.dealloc - before.dealloc, 0) END;
    -- The statistics of a database are lost in a crash: less than before is unknown.
    seen.active_ms := coalesce(earlier.active_ms, 0)
        + CASE WHEN is_counted AND seen.active_total_ms >= before.active_total_ms THEN seen.active_total_ms - before.active_total_ms END;
    seen.bytes_copied := coalesce(earlier.bytes_copied, 0) + seen.bytes_copied;
    seen.snapshot_id := coalesce(earlier.snapshot_id, nextval('reporting.statement_snapshot_snapshot_id_seq'));
    DELETE FROM reporting.statement_snapshot AS taken WHERE taken.snapshot_id = seen.snapshot_id;
    RETURN QUERY INSERT INTO reporting.statement_snapshot AS taken OVERRIDING SYSTEM VALUE
        SELECT (seen).* RETURNING taken.*;
END
$$;

CREATE FUNCTION reporting.tidy_statements(target smallint, day date, keep interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    over date;
    sums text;
    pages regclass := (SELECT tie.inhrelid FROM pg_inherits AS tie JOIN pg_index AS part ON part.indexrelid = tie.inhrelid
        WHERE tie.inhparent = 'reporting.statement_day_at'::regclass
          AND part.indrelid = to_regclass('reporting.statement_day_' || to_char(tidy_statements.day, 'YYYY_MM')));
BEGIN
    IF keep < interval '90 days' THEN
        RAISE EXCEPTION 'the ledger keeps at least 90 days, not %', keep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT string_agg(format('nullif(coalesce(sum(night.%1$I), 0), 0)', name), ', ') INTO sums
        FROM unnest(reporting.statement_counters()) AS name;
    FOR over IN
        SELECT DISTINCT date_trunc('month', taken.day)::date FROM reporting.statement_snapshot AS taken
        WHERE taken.target_id = tidy_statements.target AND taken.day < date_trunc('month', tidy_statements.day)
            AND taken.day >= date_trunc('month', tidy_statements.day - keep)
        EXCEPT SELECT month.month FROM reporting.statement_month AS month WHERE month.target_id = tidy_statements.target
    LOOP
        EXECUTE format('INSERT INTO reporting.statement_month (month, target_id, series_id, %s) SELECT $2, $1, night.series_id, %s '
            'FROM reporting.statement_day AS night WHERE night.target_id = $1 AND night.day >= $2 AND night.day < $3 '
            'GROUP BY night.series_id',
            (SELECT string_agg(quote_ident(name), ', ') FROM unnest(reporting.statement_counters()) AS name), sums)
            USING target, over, (over + interval '1 month')::date;
    END LOOP;
    UPDATE reporting.statement AS text SET last_seen = tidy_statements.day FROM reporting.statement_series AS series
        WHERE series.statement_id = text.statement_id AND series.target_id = tidy_statements.target
            AND series.last_seen = tidy_statements.day AND text.last_seen < tidy_statements.day - 7;
    DELETE FROM reporting.statement AS text WHERE text.last_seen < tidy_statements.day - keep;
    BEGIN
        PERFORM brin_summarize_new_values(pages) WHERE pages IS NOT NULL;
    EXCEPTION WHEN lock_not_available THEN
        -- Only the speed of questions hangs on it, and the next night does it too.
        RAISE WARNING 'the pages of the night could not be summarized yet';
    END;
END
$$;

COMMENT ON TABLE reporting.statement_target IS 'Whose statements are read: a database, or a replica of it.';
COMMENT ON TABLE reporting.statement_snapshot IS 'One row for each night and target: what it cost in all, and how good the reading was.';
COMMENT ON TABLE reporting.statement IS 'Texts of statements, without their literals.';
COMMENT ON TABLE reporting.statement_series IS 'What the server counts by itself: a statement of a role in a database.';
COMMENT ON TABLE reporting.statement_counter IS 'The counters as they were seen last.';
COMMENT ON TABLE reporting.statement_day IS 'What a statement cost in one night.';
COMMENT ON TABLE reporting.statement_month IS 'What a statement cost in one month that is over.';
COMMENT ON FUNCTION reporting.statement_counters() IS 'The names of the counters that are kept.';
COMMENT ON FUNCTION reporting.begin_statements(text, text, date, double precision) IS 'Begins the reading of one night: nobody else reads this target until the transaction ends, and the counters go into pg_temp.pgtend_statement_stage.';
COMMENT ON FUNCTION reporting.require_statement_stage() IS 'Refuses a stage that was not made by begin_statements.';
COMMENT ON FUNCTION reporting.unknown_statements(smallint) IS 'The queryids on the stage whose text is not known yet.';
COMMENT ON FUNCTION reporting.add_statement_texts(smallint, date, smallint, bigint, bigint[], boolean[], bigint[], text[], text[], text[]) IS 'Keeps texts from which the literals were removed.';
COMMENT ON FUNCTION reporting.statement_baseline(reporting.statement_snapshot, reporting.statement_snapshot) IS 'Why two readings cannot be compared; empty when they can.';
COMMENT ON FUNCTION reporting.finish_statements(smallint, date, jsonb) IS 'Compares what is on the stage with what was seen last, and keeps the difference as the night; returns the night.';
COMMENT ON FUNCTION reporting.close_statement_night(reporting.statement_snapshot, reporting.statement_snapshot, boolean) IS 'Writes down the sums and the quality of a night.';
COMMENT ON FUNCTION reporting.tidy_statements(smallint, date, interval) IS 'Rolls up the months that are over, and forgets texts that nobody used for as long as things are kept, at least 90 days.';

GRANT EXECUTE ON FUNCTION reporting.begin_statements, reporting.unknown_statements, reporting.add_statement_texts,
    reporting.finish_statements, reporting.tidy_statements TO pgtend_writer;
REVOKE ALL ON FUNCTION reporting.statement_counters, reporting.require_statement_stage, reporting.statement_baseline,
    reporting.close_statement_night, reporting.begin_statements, reporting.unknown_statements, reporting.add_statement_texts,
    reporting.finish_statements, reporting.tidy_statements FROM PUBLIC;
