-- One row for every run of every job. The row is written before the work starts, so that a run that dies leaves a trace.

CREATE TABLE reporting.run (
    run_id text NOT NULL,
    database text NOT NULL,
    pipeline text NOT NULL,
    actor text NOT NULL,
    run_url text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'succeeded', 'failed', 'interrupted', 'vanished')),
    error_code text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    hint text NOT NULL DEFAULT '',
    evidence_rows integer NOT NULL DEFAULT 0,
    evidence_batches integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, started_at),
    CHECK ((outcome = 'running') = (ended_at IS NULL))
) PARTITION BY RANGE (started_at);

CREATE TABLE reporting.run_default PARTITION OF reporting.run DEFAULT;
CREATE INDEX run_started_at ON reporting.run USING brin (started_at) WITH (autosummarize = on);
CREATE INDEX run_newest ON reporting.run (database, pipeline, started_at DESC);
CREATE INDEX run_open ON reporting.run (database, pipeline) WHERE outcome = 'running';

-- A living run holds this advisory lock in its session; PostgreSQL lets go of it when the process dies, however it dies.
CREATE FUNCTION reporting.liveness_key(run_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hashtextextended('pgtend.run:' || run_id, 0);

CREATE FUNCTION reporting.is_alive(run_id text) RETURNS boolean
LANGUAGE sql VOLATILE STRICT
RETURN EXISTS (
    SELECT FROM pg_locks AS held
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND held.database = (SELECT here.oid FROM pg_database AS here WHERE here.datname = current_database())
      AND (held.classid::bigint << 32 | held.objid::bigint) = reporting.liveness_key(run_id));

CREATE FUNCTION reporting.close_vanished(database text, pipeline text, actor text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dead record;
    closed text[] := '{}';
BEGIN
    FOR dead IN
        SELECT run.run_id, run.started_at FROM reporting.run
        WHERE run.outcome = 'running' AND run.database = close_vanished.database
          AND run.pipeline = close_vanished.pipeline AND NOT reporting.is_alive(run.run_id)
        ORDER BY run.started_at FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE reporting.run SET outcome = 'vanished', ended_at = clock_timestamp()
            WHERE run.run_id = dead.run_id AND run.started_at = dead.started_at;
        PERFORM reporting.append_audit(close_vanished.actor, 'run.vanished', database || '/' || pipeline,
            jsonb_build_object('run_id', dead.run_id));
        closed := closed || dead.run_id;
    END LOOP;
    RETURN closed;
END
$$;

CREATE FUNCTION reporting.start_run(run_id text, database text, pipeline text, actor text, run_url text)
RETURNS TABLE (started_at timestamptz, vanished text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
BEGIN
    IF to_regclass('reporting.run_' || to_char(date_trunc('month', now()) + interval '1 month', 'YYYY_MM')) IS NULL THEN
        BEGIN
            PERFORM reporting.ensure_partitions(2);
        EXCEPTION WHEN lock_not_available THEN
            -- A long query holds the default partition. The run goes on: its row has a place already, and the
            -- default partition is the net for the day it has not. The next run tries again.
            RAISE WARNING 'the partitions of the next months could not be made yet';
        END;
    END IF;
    vanished := reporting.close_vanished(start_run.database, start_run.pipeline, start_run.actor);
    started_at := clock_timestamp();
    PERFORM pg_advisory_lock(reporting.liveness_key(start_run.run_id));
    INSERT INTO reporting.run (run_id, database, pipeline, actor, run_url, started_at)
        VALUES (start_run.run_id, start_run.database, start_run.pipeline, start_run.actor, start_run.run_url, start_run.started_at);
    PERFORM reporting.append_audit(start_run.actor, 'run.started', start_run.database || '/' || start_run.pipeline,
        jsonb_build_object('run_id', start_run.run_id, 'run_url', start_run.run_url));
    RETURN NEXT;
END
$$;

CREATE FUNCTION reporting.finish_run(
    run_id text, started_at timestamptz, outcome text, error_code text, error_message text, hint text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ended reporting.run;
BEGIN
    -- A run that was taken for dead because its connection broke may still come back and tell how it ended.
    UPDATE reporting.run SET outcome = finish_run.outcome, ended_at = clock_timestamp(),
            error_code = finish_run.error_code, error_message = finish_run.error_message, hint = finish_run.hint
        WHERE run.run_id = finish_run.run_id AND run.started_at = finish_run.started_at
          AND run.outcome IN ('running', 'vanished')
        RETURNING run.* INTO ended;
    IF FOUND THEN
        PERFORM reporting.append_audit(ended.actor, 'run.' || ended.outcome, ended.database || '/' || ended.pipeline,
            jsonb_build_object('run_id', ended.run_id, 'error_code', ended.error_code, 'evidence_rows', ended.evidence_rows));
    -- Told twice is told once: the answer to the first call may have been lost on its way.
    ELSIF NOT EXISTS (SELECT FROM reporting.run WHERE run.run_id = finish_run.run_id
            AND run.started_at = finish_run.started_at AND run.outcome = finish_run.outcome) THEN
        RAISE EXCEPTION 'run % is not open', finish_run.run_id USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objsubid = 1
            AND (classid::bigint << 32 | objid::bigint) = reporting.liveness_key(finish_run.run_id)) THEN
        PERFORM pg_advisory_unlock(reporting.liveness_key(finish_run.run_id));
    END IF;
END
$$;

-- Says whether this batch of evidence is still to be written, so that a batch repeated over a new connection counts once.
CREATE FUNCTION reporting.claim_batch(run_id text, started_at timestamptz, batch integer, size integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE reporting.run SET evidence_batches = claim_batch.batch, evidence_rows = evidence_rows + claim_batch.size
        WHERE run.run_id = claim_batch.run_id AND run.started_at = claim_batch.started_at
          AND run.evidence_batches = claim_batch.batch - 1;
    RETURN FOUND;
END
$$;

COMMENT ON TABLE reporting.run IS 'Every run of every job, written before the work starts and again when it ended.';
COMMENT ON FUNCTION reporting.liveness_key(text) IS 'The advisory lock a living run holds.';
COMMENT ON FUNCTION reporting.is_alive(text) IS 'Whether some session of this database still holds the lock of a run.';
COMMENT ON FUNCTION reporting.close_vanished(text, text, text) IS 'Closes the runs of a database and pipeline whose process is gone; returns their ids.';
COMMENT ON FUNCTION reporting.start_run(text, text, text, text, text) IS 'Writes the intent of a run to the audit and opens its row, in one transaction.';
COMMENT ON FUNCTION reporting.finish_run(text, timestamptz, text, text, text, text) IS 'Writes the outcome of a run to its row and to the audit, in one transaction.';
COMMENT ON FUNCTION reporting.claim_batch(text, timestamptz, integer, integer) IS 'Counts one batch of evidence; false when the batch was counted before.';
