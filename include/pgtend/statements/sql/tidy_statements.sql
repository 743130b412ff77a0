-- Rolls up the months that are over, and forgets texts that nobody uses any more.
-- on: ledger
SELECT reporting.tidy_statements(%(target)s::smallint, %(day)s::date, %(keep)s::interval)
