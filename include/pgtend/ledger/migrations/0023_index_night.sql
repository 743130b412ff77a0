-- To find what was dropped the planner compared every index with every other one; NOT IN of names that are never null is
-- looked up in a table of hashes, however many there are.

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
            AND (state.schema_name, state.index_name) NOT IN (
                SELECT given.schema_name, given.index_name FROM unnest(schemas, names) AS given (schema_name, index_name)
            );
    INSERT INTO reporting.index_node AS known (database, node, seen_at)
        VALUES (note_indexes.database, note_indexes.node, note_indexes.at)
    ON CONFLICT ON CONSTRAINT index_node_pkey DO UPDATE SET seen_at = excluded.seen_at;
END
$$;
