-- Notes which databases an open alert about a whole server is about.
-- on: ledger
SELECT reporting.alert_concerns(%(key)s::text, %(databases)s::text[])
