-- Twenty thousand indexes are looked at every night, and hardly any changed: only those are written, and of the others the
-- look says that they were seen.

CREATE TABLE reporting.index_node (
    database text NOT NULL,
    node text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (database, node)
);
COMMENT ON TABLE reporting.index_node IS 'When all indexes of a database were last seen on each server.';
INSERT INTO reporting.index_node (database, node, seen_at)
    SELECT database, node, max(seen_at) FROM reporting.index_state GROUP BY database, node;

CREATE OR REPLACE FUNCTION reporting.note_indexes(
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
    SELECT known.seen_at INTO last_look FROM reporting.index_node AS known
        WHERE known.database = note_indexes.database AND known.node = note_indexes.node;
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
        seen_at = excluded.seen_at
    -- Most indexes are as they were: that they were seen again is told by the look.
    WHERE (state.table_name, state.index_oid, state.definition, state.size, state.rows, state.scans, state.entries_read,
            state.is_valid, state.watched_since, state.used_at)
        IS DISTINCT FROM (excluded.table_name, excluded.index_oid, excluded.definition, excluded.size, excluded.rows,
            excluded.scans, excluded.entries_read, excluded.is_valid, excluded.watched_since, excluded.used_at);
    DELETE FROM reporting.index_state AS state
        WHERE state.database = note_indexes.database AND state.node = note_indexes.node
            -- NOT EXISTS would compare every index with every other one; NOT IN of names that are never null is looked up
            -- in a table of hashes, however many there are.
            AND (state.schema_name, state.index_name) NOT IN (
                SELECT given.schema_name, given.index_name FROM unnest(schemas, names) AS given (schema_name, index_name)
            );
    INSERT INTO reporting.index_node AS known (database, node, seen_at)
        VALUES (note_indexes.database, note_indexes.node, note_indexes.at)
    ON CONFLICT ON CONSTRAINT index_node_pkey DO UPDATE SET seen_at = excluded.seen_at;
END
$$;

CREATE OR REPLACE VIEW reporting.indexes AS
SELECT state.database, state.schema_name, state.table_name, state.index_name, max(state.definition) AS definition,
    max(state.size) AS size, max(state.rows) AS rows, bool_and(state.is_valid) AS is_valid, count(*)::integer AS nodes,
    max(state.watched_since) AS watched_since, max(state.used_at) AS used_at, min(known.seen_at) AS seen_at
FROM reporting.index_state AS state
JOIN reporting.index_node AS known ON known.database = state.database AND known.node = state.node
GROUP BY state.database, state.schema_name, state.table_name, state.index_name;

-- What each rebuild of an index won: bytes, what the planner thinks of the statements of its table, and what those that use
-- the index really took in the nights before and after.

CREATE VIEW reporting.index_rebuild_gains AS
SELECT rebuilt.run_id, rebuilt.at, rebuilt.database, rebuilt.schema_name, rebuilt.table_name, rebuilt.index_name,
    rebuilt.size_before, rebuilt.size_after, rebuilt.size_before - rebuilt.size_after AS bytes_won, rebuilt.wal,
    rebuilt.cost_before, rebuilt.cost_after, spent.statements, spent.calls, spent.ms_before, spent.ms_after
FROM reporting.index_rebuild AS rebuilt
CROSS JOIN LATERAL (
    -- Weighed by the calls after it, so that a statement that ran more often is no change of its time.
    SELECT count(*)::integer AS statements, coalesce(sum(both_weeks.calls), 0)::bigint AS calls,
        sum(both_weeks.calls * both_weeks.earlier_mean_ms) / sum(both_weeks.calls) AS ms_before,
        sum(both_weeks.calls * both_weeks.mean_ms) / sum(both_weeks.calls) AS ms_after
    FROM reporting.compare_statements(
        rebuilt.database, '', rebuilt.at::date + 1, rebuilt.at::date + 7, rebuilt.at::date - 7, rebuilt.at::date - 1
    ) AS both_weeks
    WHERE both_weeks.calls > 0 AND both_weeks.earlier_calls > 0
        AND EXISTS (
            SELECT FROM reporting.statement_plan AS kept
            WHERE kept.database = rebuilt.database AND kept.replica = '' AND kept.fingerprint = both_weeks.fingerprint
                AND jsonb_path_exists(
                    kept.plan, '$.**."Index Name" ? (@ == $name)', jsonb_build_object('name', rebuilt.index_name)
                )
        )
) AS spent
WHERE rebuilt.outcome = 'proved';

COMMENT ON VIEW reporting.index_rebuild_gains IS 'What each rebuild of an index won: bytes, and the time of the statements that use it.';
COMMENT ON COLUMN reporting.index_rebuild_gains.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.index_rebuild_gains.at IS 'When the index was rebuilt.';
COMMENT ON COLUMN reporting.index_rebuild_gains.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_rebuild_gains.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_rebuild_gains.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.index_rebuild_gains.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_rebuild_gains.size_before IS 'Bytes before.';
COMMENT ON COLUMN reporting.index_rebuild_gains.size_after IS 'Bytes after.';
COMMENT ON COLUMN reporting.index_rebuild_gains.bytes_won IS 'Bytes that the rebuild won back.';
COMMENT ON COLUMN reporting.index_rebuild_gains.wal IS 'Bytes of WAL that the whole server wrote meanwhile.';
COMMENT ON COLUMN reporting.index_rebuild_gains.cost_before IS 'What the planner thought the top statements of the table cost, before.';
COMMENT ON COLUMN reporting.index_rebuild_gains.cost_after IS 'The same right after.';
COMMENT ON COLUMN reporting.index_rebuild_gains.statements IS 'Statements whose plan uses the index and that ran in the seven nights before and after.';
COMMENT ON COLUMN reporting.index_rebuild_gains.calls IS 'Their calls in the seven nights after it.';
COMMENT ON COLUMN reporting.index_rebuild_gains.ms_before IS 'Mean milliseconds of one of their calls in the seven nights before; null until there is a night after it.';
COMMENT ON COLUMN reporting.index_rebuild_gains.ms_after IS 'The same in the seven nights after it.';
GRANT SELECT ON reporting.index_rebuild_gains TO pgtend_reader, pgtend_writer;
