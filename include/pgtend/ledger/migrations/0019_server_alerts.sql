-- A server that is down is one alert, and not one for each pipeline of each of its databases: it names whom it concerns.

ALTER TABLE reporting.alert ADD COLUMN concerns text[] NOT NULL DEFAULT '{}';

CREATE FUNCTION reporting.alert_concerns(key text, databases text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE reporting.alert SET concerns = alert_concerns.databases
    WHERE alert.key = alert_concerns.key AND alert.recovered_at IS NULL AND alert.concerns <> alert_concerns.databases
$$;

CREATE OR REPLACE VIEW reporting.alerts AS
SELECT alert_id, key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed,
    last_sent_at, times_sent, recovered_at, acknowledged_at, acknowledged_by, acknowledged_until, note, concerns
FROM reporting.alert;

COMMENT ON FUNCTION reporting.alert_concerns(text, text[]) IS 'Notes which databases an open alert is about, when it is about a whole server.';
COMMENT ON COLUMN reporting.alerts.concerns IS 'Databases that an alert about a whole server is about; empty for any other.';

REVOKE ALL ON FUNCTION reporting.alert_concerns FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.alert_concerns TO pgtend_writer;
