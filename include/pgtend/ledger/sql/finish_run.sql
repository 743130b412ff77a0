-- Closes a run: its row and its outcome in the audit, or neither.
-- on: ledger
SELECT reporting.finish_run(%(run_id)s::text, %(started_at)s::timestamptz, %(outcome)s::text, %(error_code)s::text,
    %(error_message)s::text, %(hint)s::text)
