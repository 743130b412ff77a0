-- Every drill of one database, newest first: which backup, what it proved, how long a recovery takes.
-- on: ledger
SELECT run_id, backup_id, vault, rule, verdict, failure_class, taken_at, started_at, ended_at, isolation_level,
    isolation_means, server_version, rto_target, rto_measured, rto_predicted, rto_crosses_at, rpo_target, rpo_measured,
    source_size, not_checked
FROM reporting.drills
WHERE database = %(database)s::text AND (%(before)s::text = '' OR run_id < %(before)s::text)
ORDER BY run_id DESC LIMIT %(most)s::integer
