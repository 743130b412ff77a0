-- Keeps that a night was judged, also when there was nothing to tell.
-- on: ledger
INSERT INTO reporting.statement_judgement (run_id, database, replica, day, judged, nights, night_shift, remark)
VALUES (%(run_id)s, %(database)s, %(replica)s, %(day)s, %(judged)s, %(nights)s, %(night_shift)s, %(remark)s)
