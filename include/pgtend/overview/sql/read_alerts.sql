-- Alerts, newest first, a page at a time.
-- on: ledger
SELECT alert_id, key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at,
    times_failed, last_sent_at, times_sent, recovered_at, acknowledged_at, acknowledged_by, acknowledged_until, note, concerns
FROM reporting.alerts
WHERE (database = ANY (%(databases)s::text[]) OR concerns && %(databases)s::text[])
  AND (NOT %(only_open)s::boolean OR recovered_at IS NULL)
  AND (%(before)s::bigint = 0 OR alert_id < %(before)s::bigint)
ORDER BY alert_id DESC LIMIT %(most)s::integer
