-- Damage is news although the same pipeline failed before for a reason that wakes nobody: whoever is to be woken has not
-- heard of it, and the next reminder may be a week away. A pause that somebody asked for ends with it, as with any other
-- trouble under the same name.

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
        WHEN known.severity <> 'page' AND alert_broke.severity = 'page' THEN 'send opened'
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
