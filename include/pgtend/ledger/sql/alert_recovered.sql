-- Closes what was open under a key and judges whether anybody has to be told.
-- on: ledger
SELECT reporting.alert_recovered(%(key)s::text, %(at)s::timestamptz) AS verdict
