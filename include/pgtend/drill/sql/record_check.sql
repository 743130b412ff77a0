-- Keeps one check of a drill: what was expected and found, as counts, digests and names.
-- on: ledger
INSERT INTO reporting.drill_check (
    run_id, database, check_name, subject, outcome, failure_class, expected, found, detail
) VALUES (
    %(run_id)s, %(database)s, %(check_name)s, %(subject)s, %(outcome)s, %(failure_class)s, %(expected)s, %(found)s,
    %(detail)s
)
