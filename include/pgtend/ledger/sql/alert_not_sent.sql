-- Takes a claim back when every channel refused the message.
-- on: ledger
SELECT reporting.alert_not_sent(%(key)s::text)
