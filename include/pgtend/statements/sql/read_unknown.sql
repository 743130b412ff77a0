-- Which texts to ask for: only what is new.
-- on: ledger
SELECT queryid
FROM reporting.unknown_statements(%(target)s::smallint)
