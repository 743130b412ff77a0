-- Claims every reminder that is due; claiming and asking are one statement, so that nobody is reminded twice.
-- on: ledger
SELECT key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed,
    concerns
FROM reporting.alert_claim_reminders(%(at)s::timestamptz, %(remind_every)s::interval) ORDER BY opened_at, key
