-- Writes down that a run was not asked for everything.
-- on: ledger
INSERT INTO reporting.narrow_run (run_id, database, asked) VALUES (%(run_id)s, %(database)s, %(asked)s)
