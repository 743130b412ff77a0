-- Keeps how long one step of a drill took, and how much went through it.
-- on: ledger
INSERT INTO reporting.drill_stage (run_id, database, stage, started_at, took, bytes, rows)
VALUES (%(run_id)s, %(database)s, %(stage)s, %(started_at)s, %(took)s, %(bytes)s, %(rows)s)
