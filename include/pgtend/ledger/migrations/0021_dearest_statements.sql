-- The twenty dearest of a span of nights are asked for far more often than all of them: every page and every report does.
--
-- So they are ranked by one figure first, and everything else is added up for the winners alone, through the index on
-- (series_id, day). Ninety nights of five thousand statements then cost two sums a row and not eighteen.

CREATE FUNCTION reporting.dearest_statements(
    wanted_database text, wanted_replica text, first_day date, last_day date, ranked_by text, wanted integer
)
RETURNS TABLE (
    fingerprint text, role text, query text, calls bigint, exec_ms double precision, mean_ms double precision,
    deviation_ms double precision, share double precision, rows bigint, plan_ms double precision,
    shared_blks_hit bigint, shared_blks_read bigint, read_ms double precision, temp_blks bigint, wal_bytes bigint,
    jit_ms double precision, nights_seen bigint, nights bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    target smallint;
    measured text := CASE ranked_by
        WHEN 'exec_ms' THEN 'exec_ms' WHEN 'calls' THEN 'calls' WHEN 'mean_ms' THEN 'calls'
        WHEN 'shared_blks_read' THEN 'shared_blks_read' WHEN 'read_ms' THEN 'shared_read_ms' WHEN 'wal_bytes' THEN 'wal_bytes'
        WHEN 'temp_blks' THEN 'coalesce(temp_blks_read, 0) + coalesce(temp_blks_written, 0)'
        WHEN 'jit_ms' THEN 'jit_ms' WHEN 'plan_ms' THEN 'plan_ms' END;
    everything double precision;
    every_night bigint;
    winners integer[];
BEGIN
    IF measured IS NULL THEN
        RAISE EXCEPTION 'statements cannot be ranked by %', ranked_by USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT known.target_id INTO target FROM reporting.statement_target AS known
        WHERE known.database = wanted_database AND known.replica = wanted_replica;
    SELECT count(*) INTO every_night FROM reporting.statement_snapshot AS taken
        WHERE taken.target_id = target AND taken.day BETWEEN first_day AND last_day AND taken.since IS NOT NULL;
    EXECUTE format(
        'WITH spent AS ('
        '    SELECT night.series_id, sum(night.exec_ms) AS exec_ms, sum((%s)::double precision) AS measured'
        '    FROM reporting.statement_day AS night'
        '    WHERE night.target_id = $1 AND night.day BETWEEN $2 AND $3 GROUP BY night.series_id'
        '), gathered AS ('
        '    SELECT array_agg(spent.series_id) AS members, sum(spent.exec_ms) AS exec_ms, sum(spent.measured) AS measured,'
        '        series.fingerprint, series.role'
        '    FROM spent JOIN reporting.statement_series AS series ON series.series_id = spent.series_id'
        '    GROUP BY series.fingerprint, series.role'
        '), ranked AS ('
        '    SELECT members, sum(exec_ms) OVER () AS everything,'
        '        row_number() OVER (ORDER BY coalesce(%s, 0) DESC, fingerprint, role) AS place'
        '    FROM gathered'
        ') SELECT max(everything), array_agg(member) FROM ranked CROSS JOIN unnest(members) AS member WHERE place <= $4',
        measured, CASE ranked_by WHEN 'mean_ms' THEN 'exec_ms / nullif(measured, 0)' ELSE 'measured' END)
        INTO everything, winners USING target, first_day, last_day, wanted;
    RETURN QUERY
        SELECT series.fingerprint, series.role,
            coalesce((SELECT text.query FROM reporting.statement AS text WHERE text.statement_id = max(series.statement_id)), ''),
            coalesce(sum(night.calls), 0)::bigint, coalesce(sum(night.exec_ms), 0),
            coalesce(sum(night.exec_ms) / nullif(sum(night.calls), 0), 0)::double precision,
            sqrt(greatest(coalesce(sum(night.exec_ssq) / nullif(sum(night.calls), 0)
                - (sum(night.exec_ms) / nullif(sum(night.calls), 0)) ^ 2, 0), 0))::double precision,
            coalesce(sum(night.exec_ms) / nullif(everything, 0), 0)::double precision, coalesce(sum(night.rows), 0)::bigint,
            coalesce(sum(night.plan_ms), 0), coalesce(sum(night.shared_blks_hit), 0)::bigint,
            coalesce(sum(night.shared_blks_read), 0)::bigint, coalesce(sum(night.shared_read_ms), 0),
            (coalesce(sum(night.temp_blks_read), 0) + coalesce(sum(night.temp_blks_written), 0))::bigint,
            coalesce(sum(night.wal_bytes), 0)::bigint, coalesce(sum(night.jit_ms), 0), count(DISTINCT night.day), every_night
        FROM reporting.statement_day AS night
        JOIN reporting.statement_series AS series ON series.series_id = night.series_id
        WHERE night.series_id = ANY (winners) AND night.day BETWEEN first_day AND last_day
        GROUP BY series.fingerprint, series.role;
END
$$;

COMMENT ON FUNCTION reporting.dearest_statements(text, text, date, date, text, integer) IS
    'The statements of a database, or of a replica of it, that lead by one figure between two nights, both included: quick however many there are.';

REVOKE ALL ON FUNCTION reporting.dearest_statements FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.dearest_statements TO pgtend_reader, pgtend_writer;
