-- Keeps that a metric got better or worse.
-- on: ledger
INSERT INTO reporting.health_change (database, at, metric, was, level, value, about, reason) VALUES (
    %(database)s, %(at)s, %(metric)s, %(was)s, %(level)s, %(value)s, %(about)s, %(reason)s
)
