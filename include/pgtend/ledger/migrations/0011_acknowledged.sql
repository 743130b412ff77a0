-- A person may say "I am on it": reminders pause until a moment, never for ever, and never for another trouble.

ALTER TABLE reporting.alert
    ADD COLUMN acknowledged_at timestamptz,
    ADD COLUMN acknowledged_by text NOT NULL DEFAULT '',
    ADD COLUMN acknowledged_until timestamptz,
    ADD COLUMN note text NOT NULL DEFAULT '';

CREATE FUNCTION reporting.alert_acknowledge(alert_id bigint, database text, by text, note text, pause interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known reporting.alert;
BEGIN
    IF pause <= interval '0' OR pause > interval '7 days' THEN
        RAISE EXCEPTION 'an alert is silent for 7 days at most, not %', pause USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE reporting.alert SET acknowledged_at = clock_timestamp(), acknowledged_by = alert_acknowledge.by,
            acknowledged_until = clock_timestamp() + pause, note = alert_acknowledge.note
        WHERE alert.alert_id = alert_acknowledge.alert_id AND alert.database = alert_acknowledge.database
          AND alert.recovered_at IS NULL
        RETURNING alert.* INTO known;
    IF NOT FOUND THEN
        RETURN '';
    END IF;
    -- The note is a person's own words, so it stays out of what is kept for ever.
    PERFORM reporting.append_audit(alert_acknowledge.by, 'alert.acknowledged', known.database || '/' || known.pipeline,
        jsonb_build_object('alert_id', known.alert_id, 'code', known.code, 'pause', pause::text));
    RETURN known.key;
END
$$;

-- Another trouble under the same name is news: it ends the pause.
CREATE OR REPLACE FUNCTION reporting.alert_broke(
    key text, database text, pipeline text, severity text, code text, message text, hint text, run_url text,
    at timestamptz, remind_every interval
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known reporting.alert;
    verdict text;
    is_paused boolean;
BEGIN
    -- Two tasks that fail at once come in one after the other, and the second one finds what the first one wrote.
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.alert:' || alert_broke.key, 0));
    SELECT alert.* INTO known FROM reporting.alert WHERE alert.key = alert_broke.key AND alert.recovered_at IS NULL;
    IF NOT FOUND THEN
        INSERT INTO reporting.alert (key, database, pipeline, severity, code, message, hint, run_url,
                opened_at, last_failed_at, last_sent_at, times_sent)
            VALUES (alert_broke.key, alert_broke.database, alert_broke.pipeline, alert_broke.severity, alert_broke.code,
                alert_broke.message, alert_broke.hint, alert_broke.run_url,
                alert_broke.at, alert_broke.at, alert_broke.at, 1);
        RETURN 'send opened';
    END IF;
    is_paused := coalesce(known.acknowledged_until > alert_broke.at, false) AND known.code = alert_broke.code;
    verdict := CASE
        WHEN known.times_sent = 0 THEN 'send opened'
        WHEN is_paused THEN 'silent'
        WHEN known.acknowledged_until > alert_broke.at THEN 'send reminder'
        WHEN known.last_sent_at IS NULL OR known.last_sent_at <= alert_broke.at - remind_every THEN 'send reminder'
        ELSE 'silent' END;
    UPDATE reporting.alert SET severity = alert_broke.severity, code = alert_broke.code, message = alert_broke.message,
            hint = alert_broke.hint, run_url = alert_broke.run_url, last_failed_at = alert_broke.at,
            times_failed = times_failed + 1,
            times_sent = times_sent + (verdict <> 'silent')::integer,
            last_sent_at = CASE WHEN verdict = 'silent' THEN last_sent_at ELSE alert_broke.at END,
            acknowledged_until = CASE WHEN is_paused THEN acknowledged_until END
        WHERE alert.alert_id = known.alert_id;
    RETURN verdict;
END
$$;

CREATE OR REPLACE FUNCTION reporting.alert_claim_reminders(at timestamptz, remind_every interval) RETURNS SETOF reporting.alert
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE reporting.alert SET last_sent_at = alert_claim_reminders.at, times_sent = times_sent + 1
    WHERE alert.recovered_at IS NULL
      AND (alert.acknowledged_until IS NULL OR alert.acknowledged_until <= alert_claim_reminders.at OR alert.times_sent = 0)
      AND (alert.last_sent_at IS NULL OR alert.last_sent_at <= alert_claim_reminders.at - remind_every)
    RETURNING alert.*
$$;

CREATE VIEW reporting.alerts AS
SELECT alert_id, key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed,
    last_sent_at, times_sent, recovered_at, acknowledged_at, acknowledged_by, acknowledged_until, note
FROM reporting.alert;

COMMENT ON FUNCTION reporting.alert_acknowledge(bigint, text, text, text, interval) IS 'Notes that somebody looks at an open alert, at most for 7 days; returns its key, or nothing when it is not open.';
COMMENT ON VIEW reporting.alerts IS 'What is broken and what was, with who looked at it.';
COMMENT ON COLUMN reporting.alerts.alert_id IS 'Number of the alert.';
COMMENT ON COLUMN reporting.alerts.recovered_at IS 'When it recovered; null while it is open.';
COMMENT ON COLUMN reporting.alerts.acknowledged_at IS 'When somebody last said that it is being looked at.';
COMMENT ON COLUMN reporting.alerts.acknowledged_by IS 'Who said so.';
COMMENT ON COLUMN reporting.alerts.acknowledged_until IS 'Until when there are no reminders; null when nobody said so, or since another trouble came.';
COMMENT ON COLUMN reporting.alerts.note IS 'What that person wrote.';
DO $$
DECLARE
    same record;
BEGIN
    FOR same IN
        SELECT attname, col_description(attrelid, attnum) AS comment
        FROM pg_attribute
        WHERE attrelid = 'reporting.open_alerts'::regclass AND attnum > 0
          AND attname NOT IN ('alert_id', 'recovered_at', 'acknowledged_at', 'acknowledged_by', 'acknowledged_until', 'note')
    LOOP
        EXECUTE format('COMMENT ON COLUMN reporting.alerts.%I IS %L', same.attname, same.comment);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION reporting.alert_acknowledge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.alert_acknowledge TO pgtend_writer;
GRANT SELECT ON reporting.alerts TO pgtend_reader, pgtend_writer;
