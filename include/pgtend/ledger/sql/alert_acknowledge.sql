-- Notes that a person looks at an open alert; nothing comes back when it is open no longer.
-- on: ledger
SELECT reporting.alert_acknowledge(
    %(alert_id)s::bigint, %(database)s::text, %(by)s::text, %(note)s::text, %(pause)s::interval
) AS key
