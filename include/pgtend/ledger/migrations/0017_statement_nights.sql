-- A night that was counted stays counted when it is read again after a failover: that reading only begins a new count.

CREATE OR REPLACE FUNCTION reporting.close_statement_night(
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
    seen.since := coalesce(earlier.since, CASE WHEN is_counted THEN before.taken_at END);
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
