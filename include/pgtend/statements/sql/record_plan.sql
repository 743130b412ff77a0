-- Keeps the plan of a statement, or why there is none.
-- on: ledger
INSERT INTO reporting.statement_plan (run_id, database, replica, day, fingerprint, plan, shape, cost, remark)
VALUES (%(run_id)s, %(database)s, %(replica)s, %(day)s, %(fingerprint)s, %(plan)s::jsonb, %(shape)s, %(cost)s, %(remark)s)
