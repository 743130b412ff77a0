-- What was applied to this ledger, by the view that every role of ours may read.
-- on: ledger
SELECT number, name, sha256 FROM reporting.migrations ORDER BY number
