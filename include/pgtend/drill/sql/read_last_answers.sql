-- What each smoke query got when it was last answered well.
-- on: ledger
SELECT DISTINCT ON (subject) subject, found
FROM reporting.drill_checks
WHERE database = %(database)s AND check_name = 'smoke' AND outcome = 'passed'
ORDER BY subject, at DESC
