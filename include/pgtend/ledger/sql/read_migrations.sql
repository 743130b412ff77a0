-- What was applied to this ledger, by the table itself: while migrations are pending the view may not exist yet.
-- on: ledger
SELECT number, name, sha256 FROM reporting.migration ORDER BY number
