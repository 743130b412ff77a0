-- Keeps what was concluded about one statement.
-- on: ledger
INSERT INTO reporting.statement_finding
    (run_id, database, replica, day, kind, fingerprint, role, calls, mean_ms, usual_ms, ratio, z, extra_ms, share, cause,
    evidence, first_bad_day, nights, events, is_alert)
VALUES (%(run_id)s, %(database)s, %(replica)s, %(day)s, %(kind)s, %(fingerprint)s, %(role)s, %(calls)s, %(mean_ms)s,
    %(usual_ms)s, %(ratio)s, %(z)s, %(extra_ms)s, %(share)s, %(cause)s, %(evidence)s::jsonb, %(first_bad_day)s, %(nights)s,
    %(events)s::jsonb, %(is_alert)s)
