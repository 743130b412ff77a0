-- The state behind the messages: one when something breaks, one when it recovers, a reminder while it stays broken.

-- Not partitioned: few rows, and only one unique index over all of them can promise that a key is open once.
CREATE TABLE reporting.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    database text NOT NULL,
    pipeline text NOT NULL,
    severity text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    hint text NOT NULL DEFAULT '',
    run_url text NOT NULL DEFAULT '',
    opened_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    times_failed integer NOT NULL DEFAULT 1,
    last_sent_at timestamptz,
    times_sent integer NOT NULL DEFAULT 0,
    recovered_at timestamptz
);

CREATE UNIQUE INDEX alert_open_once ON reporting.alert (key) WHERE recovered_at IS NULL;
CREATE INDEX alert_recovered_at ON reporting.alert (recovered_at);

CREATE FUNCTION reporting.alert_broke(
    key text, database text, pipeline text, severity text, code text, message text, hint text, run_url text,
    at timestamptz, remind_every interval
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known reporting.alert;
    verdict text;
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
    verdict := CASE
        WHEN known.times_sent = 0 THEN 'send opened'
        WHEN known.last_sent_at IS NULL OR known.last_sent_at <= alert_broke.at - remind_every THEN 'send reminder'
        ELSE 'silent' END;
    UPDATE reporting.alert SET severity = alert_broke.severity, code = alert_broke.code, message = alert_broke.message,
            hint = alert_broke.hint, run_url = alert_broke.run_url, last_failed_at = alert_broke.at,
            times_failed = times_failed + 1,
            times_sent = times_sent + (verdict <> 'silent')::integer,
            last_sent_at = CASE WHEN verdict = 'silent' THEN last_sent_at ELSE alert_broke.at END
        WHERE alert.alert_id = known.alert_id;
    RETURN verdict;
END
$$;

CREATE FUNCTION reporting.alert_recovered(key text, at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.alert:' || alert_recovered.key, 0));
    UPDATE reporting.alert SET recovered_at = alert_recovered.at
        WHERE alert.key = alert_recovered.key AND alert.recovered_at IS NULL
        RETURNING times_sent INTO told;
    -- Who never heard that it broke need not hear that it recovered.
    RETURN CASE WHEN told > 0 THEN 'send recovered' ELSE 'silent' END;
END
$$;

CREATE FUNCTION reporting.alert_claim_reminders(at timestamptz, remind_every interval) RETURNS SETOF reporting.alert
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE reporting.alert SET last_sent_at = alert_claim_reminders.at, times_sent = times_sent + 1
    WHERE alert.recovered_at IS NULL
      AND (alert.last_sent_at IS NULL OR alert.last_sent_at <= alert_claim_reminders.at - remind_every)
    RETURNING alert.*
$$;

CREATE FUNCTION reporting.alert_not_sent(key text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE reporting.alert SET last_sent_at = NULL, times_sent = greatest(times_sent - 1, 0)
    WHERE alert.key = alert_not_sent.key AND alert.recovered_at IS NULL
$$;

COMMENT ON TABLE reporting.alert IS 'What is broken and what was: one row from breaking to recovering.';
COMMENT ON FUNCTION reporting.alert_broke(text, text, text, text, text, text, text, text, timestamptz, interval) IS 'Notes a failure and says whether to send a message: send opened, send reminder or silent.';
COMMENT ON FUNCTION reporting.alert_recovered(text, timestamptz) IS 'Closes what was open under a key and says whether to send a message: send recovered or silent.';
COMMENT ON FUNCTION reporting.alert_claim_reminders(timestamptz, interval) IS 'Claims every open alert whose last message is old enough; each is claimed once.';
COMMENT ON FUNCTION reporting.alert_not_sent(text) IS 'Takes back a claim whose message could not be sent, so that the next failure or reminder sends it.';
