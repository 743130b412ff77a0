-- Notes a failure and judges, under a lock on its key, whether a message goes out.
-- on: ledger
SELECT reporting.alert_broke(%(key)s::text, %(database)s::text, %(pipeline)s::text, %(severity)s::text, %(code)s::text,
    %(message)s::text, %(hint)s::text, %(run_url)s::text, %(at)s::timestamptz, %(remind_every)s::interval) AS verdict
