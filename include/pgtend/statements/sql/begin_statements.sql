-- Opens the night of one target: nobody else reads it until this transaction ends.
-- on: ledger
SELECT target, nights, newest
FROM reporting.begin_statements(%(database)s::text, %(replica)s::text, %(day)s::date, %(slow_ms)s::float8)
