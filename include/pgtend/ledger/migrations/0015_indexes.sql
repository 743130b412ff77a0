-- The memory of the indexes: how large each was and how much each server used it, known by name, so that it survives a new
-- OID, a restart and a failover; and what was decided about them, what came of it, and what was advised.

CREATE TABLE reporting.index_look (
    run_id text NOT NULL,
    at timestamptz NOT NULL,
    database text NOT NULL,
    node text NOT NULL,
    system_identifier text NOT NULL,
    is_standby boolean NOT NULL,
    server_started_at timestamptz NOT NULL,
    indexes integer NOT NULL,
    counters_lost boolean NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_look_default PARTITION OF reporting.index_look DEFAULT;

CREATE TABLE reporting.index_use (
    run_id text NOT NULL,
    at timestamptz NOT NULL,
    database text NOT NULL,
    node text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    size bigint NOT NULL,
    rows bigint NOT NULL,
    scans bigint NOT NULL,
    entries_read bigint NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_use_default PARTITION OF reporting.index_use DEFAULT;
CREATE INDEX index_use_at ON reporting.index_use USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

-- Not partitioned: one row for each index that exists on each server, replaced every night.
CREATE TABLE reporting.index_state (
    database text NOT NULL,
    node text NOT NULL,
    schema_name text NOT NULL,
    index_name text NOT NULL,
    table_name text NOT NULL,
    index_oid bigint NOT NULL,
    definition text NOT NULL,
    size bigint NOT NULL,
    rows bigint NOT NULL,
    scans bigint NOT NULL,
    entries_read bigint NOT NULL,
    is_valid boolean NOT NULL,
    watched_since timestamptz NOT NULL,
    used_at timestamptz,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (database, node, schema_name, index_name)
);

CREATE TABLE reporting.index_rebuild (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    definition text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('rebuild', 'skip')),
    reason text NOT NULL,
    outcome text NOT NULL,
    method text NOT NULL,
    size_before bigint NOT NULL,
    size_predicted bigint,
    size_after bigint,
    rows bigint NOT NULL,
    table_size bigint NOT NULL,
    seconds_predicted double precision,
    took interval,
    wal bigint,
    yielded integer NOT NULL DEFAULT 0,
    cost_before double precision,
    cost_after double precision,
    error_code text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_rebuild_default PARTITION OF reporting.index_rebuild DEFAULT;
CREATE INDEX index_rebuild_at ON reporting.index_rebuild USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.index_check (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    depth text NOT NULL,
    verdict text NOT NULL,
    took interval,
    error_code text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_check_default PARTITION OF reporting.index_check DEFAULT;

CREATE TABLE reporting.index_advice (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    up_sql text NOT NULL,
    down_sql text NOT NULL,
    why text NOT NULL,
    gain double precision,
    worst_harm double precision,
    write_cost double precision,
    size bigint,
    took_to_build interval,
    delivered_as text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_advice_default PARTITION OF reporting.index_advice DEFAULT;

CREATE FUNCTION reporting.note_indexes(
    run_id text, at timestamptz, database text, node text, system_identifier text, is_standby boolean,
    server_started_at timestamptz, schemas text[], tables text[], names text[], oids bigint[], definitions text[],
    sizes bigint[], row_counts bigint[], scan_counts bigint[], entry_counts bigint[], valid boolean[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_look timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.indexes:' || note_indexes.database || '/' || note_indexes.node, 0));
    SELECT max(state.seen_at) INTO last_look FROM reporting.index_state AS state
        WHERE state.database = note_indexes.database AND state.node = note_indexes.node;
    -- The same night told twice must not count twice.
    IF last_look >= note_indexes.at THEN
        RETURN;
    END IF;
    WITH seen AS MATERIALIZED (
        SELECT given.*, state.index_oid AS old_oid, state.definition AS old_definition, state.size AS old_size,
            state.scans AS old_scans, state.entries_read AS old_entries, state.watched_since, state.used_at
        FROM unnest(schemas, tables, names, oids, definitions, sizes, row_counts, scan_counts, entry_counts, valid)
            AS given (schema_name, table_name, index_name, oid, definition, size, row_count, scans, entries, is_valid)
        LEFT JOIN reporting.index_state AS state ON state.database = note_indexes.database
            AND state.node = note_indexes.node AND state.schema_name = given.schema_name
            AND state.index_name = given.index_name
    ), lost AS MATERIALIZED (
        -- A counter of the same index that went down: the server crashed, another one answers, or somebody reset them.
        SELECT EXISTS (SELECT FROM seen WHERE seen.oid = seen.old_oid AND seen.scans < seen.old_scans) AS yes
    ), judged AS MATERIALIZED (
        SELECT seen.schema_name, seen.table_name, seen.index_name, seen.oid, seen.definition, seen.size, seen.row_count,
            seen.scans, seen.entries, seen.is_valid, seen.old_oid IS NULL AS is_new,
            seen.old_size IS DISTINCT FROM seen.size AS is_resized,
            CASE WHEN seen.oid = seen.old_oid AND NOT lost.yes THEN seen.scans - seen.old_scans ELSE seen.scans END
                AS more_scans,
            CASE WHEN seen.oid = seen.old_oid AND seen.entries >= seen.old_entries
                THEN seen.entries - seen.old_entries ELSE seen.entries END AS more_entries,
            -- Between two looks further apart than this an index may have been used, and the use forgotten.
            CASE WHEN lost.yes OR last_look < note_indexes.at - interval '3 days'
                    OR seen.old_definition IS DISTINCT FROM seen.definition
                THEN note_indexes.at ELSE seen.watched_since END AS watched_since,
            CASE WHEN seen.old_definition = seen.definition THEN seen.used_at END AS used_at
        FROM seen CROSS JOIN lost
    ), look AS (
        INSERT INTO reporting.index_look (run_id, at, database, node, system_identifier, is_standby, server_started_at,
                indexes, counters_lost)
            SELECT note_indexes.run_id, note_indexes.at, note_indexes.database, note_indexes.node,
                note_indexes.system_identifier, note_indexes.is_standby, note_indexes.server_started_at,
                coalesce(cardinality(names), 0), lost.yes
            FROM lost
    ), kept AS (
        INSERT INTO reporting.index_use (run_id, at, database, node, schema_name, table_name, index_name, size, rows, scans,
                entries_read)
            SELECT note_indexes.run_id, note_indexes.at, note_indexes.database, note_indexes.node, judged.schema_name,
                judged.table_name, judged.index_name, judged.size, judged.row_count, judged.more_scans, judged.more_entries
            FROM judged WHERE judged.is_new OR judged.is_resized OR judged.more_scans > 0
    )
    INSERT INTO reporting.index_state AS state (database, node, schema_name, index_name, table_name, index_oid, definition,
            size, rows, scans, entries_read, is_valid, watched_since, used_at, seen_at)
        SELECT note_indexes.database, note_indexes.node, judged.schema_name, judged.index_name, judged.table_name, judged.oid,
            judged.definition, judged.size, judged.row_count, judged.scans, judged.entries, judged.is_valid,
            judged.watched_since,
            -- What an index counted before we first saw it tells nothing about when.
            CASE WHEN judged.more_scans > 0 AND NOT judged.is_new THEN note_indexes.at ELSE judged.used_at END,
            note_indexes.at
        FROM judged
    ON CONFLICT ON CONSTRAINT index_state_pkey DO UPDATE SET
        table_name = excluded.table_name, index_oid = excluded.index_oid, definition = excluded.definition,
        size = excluded.size, rows = excluded.rows, scans = excluded.scans, entries_read = excluded.entries_read,
        is_valid = excluded.is_valid, watched_since = excluded.watched_since, used_at = excluded.used_at,
        seen_at = excluded.seen_at;
    DELETE FROM reporting.index_state AS state
        WHERE state.database = note_indexes.database AND state.node = note_indexes.node AND state.seen_at < note_indexes.at;
END
$$;

CREATE VIEW reporting.index_looks AS
SELECT run_id, at, database, node, system_identifier, is_standby, server_started_at, indexes, counters_lost
FROM reporting.index_look;

CREATE VIEW reporting.index_uses AS
SELECT run_id, at, database, node, schema_name, table_name, index_name, size, rows, scans, entries_read
FROM reporting.index_use;

CREATE VIEW reporting.indexes AS
SELECT database, schema_name, table_name, index_name, max(definition) AS definition, max(size) AS size, max(rows) AS rows,
    bool_and(is_valid) AS is_valid, count(*)::integer AS nodes, max(watched_since) AS watched_since,
    max(used_at) AS used_at, min(seen_at) AS seen_at
FROM reporting.index_state
GROUP BY database, schema_name, table_name, index_name;

CREATE VIEW reporting.index_rebuilds AS
SELECT run_id, at, database, schema_name, table_name, index_name, definition, decision, reason, outcome, method,
    size_before, size_predicted, size_after, rows, table_size, seconds_predicted, took, wal, yielded, cost_before,
    cost_after, error_code
FROM reporting.index_rebuild;

CREATE VIEW reporting.index_checks AS
SELECT run_id, at, database, schema_name, table_name, index_name, depth, verdict, took, error_code
FROM reporting.index_check;

CREATE VIEW reporting.index_advices AS
SELECT run_id, at, database, schema_name, table_name, index_name, kind, status, priority, up_sql, down_sql, why, gain,
    worst_harm, write_cost, size, took_to_build, delivered_as
FROM reporting.index_advice;

COMMENT ON TABLE reporting.index_look IS 'Every look at all indexes of a database on one server.';
COMMENT ON TABLE reporting.index_use IS 'What changed about an index between two looks: its use and its size.';
COMMENT ON TABLE reporting.index_state IS 'Every index as it was seen last on each server, and since when it is watched without a gap.';
COMMENT ON TABLE reporting.index_rebuild IS 'Every index that was judged for a rebuild, in every run.';
COMMENT ON TABLE reporting.index_check IS 'Every index whose structure was verified.';
COMMENT ON TABLE reporting.index_advice IS 'Every change of indexes that was thought about, in every run.';
COMMENT ON FUNCTION reporting.note_indexes(text, timestamptz, text, text, text, boolean, timestamptz, text[], text[], text[], bigint[], text[], bigint[], bigint[], bigint[], bigint[], boolean[]) IS 'Notes what one look at the indexes of a server showed, as differences to the look before.';

COMMENT ON VIEW reporting.index_looks IS 'Every look at all indexes of a database on one server.';
COMMENT ON COLUMN reporting.index_looks.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_looks.at IS 'When the server was asked.';
COMMENT ON COLUMN reporting.index_looks.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_looks.node IS 'The server, by the connection that leads to it.';
COMMENT ON COLUMN reporting.index_looks.system_identifier IS 'Name that the cluster gave itself; a standby has that of its primary.';
COMMENT ON COLUMN reporting.index_looks.is_standby IS 'Whether it was a standby.';
COMMENT ON COLUMN reporting.index_looks.server_started_at IS 'When the server was started.';
COMMENT ON COLUMN reporting.index_looks.indexes IS 'How many indexes it had.';
COMMENT ON COLUMN reporting.index_looks.counters_lost IS 'Whether the server had lost its counters since the look before.';

COMMENT ON VIEW reporting.index_uses IS 'What changed about an index between two looks, on each server.';
COMMENT ON COLUMN reporting.index_uses.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_uses.at IS 'When the server was asked.';
COMMENT ON COLUMN reporting.index_uses.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_uses.node IS 'The server, by the connection that leads to it.';
COMMENT ON COLUMN reporting.index_uses.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_uses.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.index_uses.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_uses.size IS 'Bytes of the index.';
COMMENT ON COLUMN reporting.index_uses.rows IS 'Rows it points to, as the server estimates them.';
COMMENT ON COLUMN reporting.index_uses.scans IS 'Scans since the look before.';
COMMENT ON COLUMN reporting.index_uses.entries_read IS 'Entries that these scans read.';

COMMENT ON VIEW reporting.indexes IS 'Every index that exists, over all servers of its database.';
COMMENT ON COLUMN reporting.indexes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.indexes.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.indexes.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.indexes.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.indexes.definition IS 'Digest of what the index is; another one under the same name begins a new history.';
COMMENT ON COLUMN reporting.indexes.size IS 'Bytes of the index.';
COMMENT ON COLUMN reporting.indexes.rows IS 'Rows it points to, as the server estimates them.';
COMMENT ON COLUMN reporting.indexes.is_valid IS 'Whether queries can use it.';
COMMENT ON COLUMN reporting.indexes.nodes IS 'On how many servers it was seen.';
COMMENT ON COLUMN reporting.indexes.watched_since IS 'Since when every server is watched without a gap.';
COMMENT ON COLUMN reporting.indexes.used_at IS 'When a look found that a server had used it; null when none ever did.';
COMMENT ON COLUMN reporting.indexes.seen_at IS 'When it was last seen on every server.';

COMMENT ON VIEW reporting.index_rebuilds IS 'What was decided about an index, why, and what came of it.';
COMMENT ON COLUMN reporting.index_rebuilds.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_rebuilds.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.index_rebuilds.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_rebuilds.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_rebuilds.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.index_rebuilds.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_rebuilds.definition IS 'Digest of what the index is.';
COMMENT ON COLUMN reporting.index_rebuilds.decision IS 'rebuild or skip.';
COMMENT ON COLUMN reporting.index_rebuilds.reason IS 'Why it was decided so.';
COMMENT ON COLUMN reporting.index_rebuilds.outcome IS 'What came of it; proved only when the new index was looked at.';
COMMENT ON COLUMN reporting.index_rebuilds.method IS 'How the size it would have if new was found.';
COMMENT ON COLUMN reporting.index_rebuilds.size_before IS 'Bytes before.';
COMMENT ON COLUMN reporting.index_rebuilds.size_predicted IS 'Bytes it would have if new, as predicted; null when nobody asked.';
COMMENT ON COLUMN reporting.index_rebuilds.size_after IS 'Bytes after; null when it was not rebuilt.';
COMMENT ON COLUMN reporting.index_rebuilds.rows IS 'Rows it points to, as the server estimates them.';
COMMENT ON COLUMN reporting.index_rebuilds.table_size IS 'Bytes of the table.';
COMMENT ON COLUMN reporting.index_rebuilds.seconds_predicted IS 'How long the rebuild was predicted to take.';
COMMENT ON COLUMN reporting.index_rebuilds.took IS 'How long it took; null when it did not run.';
COMMENT ON COLUMN reporting.index_rebuilds.wal IS 'Bytes of WAL that the whole server wrote meanwhile.';
COMMENT ON COLUMN reporting.index_rebuilds.yielded IS 'How often it was given up because the application had begun to wait.';
COMMENT ON COLUMN reporting.index_rebuilds.cost_before IS 'What the planner thought the top statements of the table cost, before.';
COMMENT ON COLUMN reporting.index_rebuilds.cost_after IS 'The same after.';
COMMENT ON COLUMN reporting.index_rebuilds.error_code IS 'Stable code of the error of this index; empty when there was none.';

COMMENT ON VIEW reporting.index_checks IS 'Indexes whose structure was verified, and how they were found.';
COMMENT ON COLUMN reporting.index_checks.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_checks.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.index_checks.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_checks.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_checks.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.index_checks.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_checks.depth IS 'How thoroughly: structure, or structure and every row of the table.';
COMMENT ON COLUMN reporting.index_checks.verdict IS 'sound, damaged, invalid or not seen.';
COMMENT ON COLUMN reporting.index_checks.took IS 'How long it took.';
COMMENT ON COLUMN reporting.index_checks.error_code IS 'Stable code of the error; empty when there was none.';

COMMENT ON VIEW reporting.index_advices IS 'Changes of indexes that were thought about, how they were judged, and what was measured.';
COMMENT ON COLUMN reporting.index_advices.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_advices.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.index_advices.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_advices.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_advices.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.index_advices.index_name IS 'Name of the index, as it is or as it would be.';
COMMENT ON COLUMN reporting.index_advices.kind IS 'What is advised: a missing index, a foreign key without one, a duplicate, and so on.';
COMMENT ON COLUMN reporting.index_advices.status IS 'advised (proved on a copy), candidate (not proved yet) or refuted.';
COMMENT ON COLUMN reporting.index_advices.priority IS 'high, medium or low.';
COMMENT ON COLUMN reporting.index_advices.up_sql IS 'The statement that would do it.';
COMMENT ON COLUMN reporting.index_advices.down_sql IS 'The statement that would take it back.';
COMMENT ON COLUMN reporting.index_advices.why IS 'Why it is advised, or why not.';
COMMENT ON COLUMN reporting.index_advices.gain IS 'Share of time that the statements it is for were faster by on the copy.';
COMMENT ON COLUMN reporting.index_advices.worst_harm IS 'Share of time that the worst other statement was slower by.';
COMMENT ON COLUMN reporting.index_advices.write_cost IS 'Seconds a day that keeping the index would cost its writers, as measured on the copy.';
COMMENT ON COLUMN reporting.index_advices.size IS 'Bytes of the index, as built on the copy.';
COMMENT ON COLUMN reporting.index_advices.took_to_build IS 'How long building it took on the copy.';
COMMENT ON COLUMN reporting.index_advices.delivered_as IS 'Where the pair of SQL files was written; empty when it was not.';

REVOKE ALL ON FUNCTION reporting.note_indexes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.note_indexes TO pgtend_writer;
GRANT SELECT ON reporting.index_looks, reporting.index_uses, reporting.indexes, reporting.index_rebuilds,
    reporting.index_checks, reporting.index_advices TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.index_rebuild, reporting.index_check, reporting.index_advice TO pgtend_writer;
