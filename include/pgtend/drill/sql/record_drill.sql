-- Keeps a drill as a whole: which backup, by which rule, what it proved, and how long a recovery takes.
-- on: ledger
INSERT INTO reporting.drill (
    run_id, database, backup_id, vault, rule, verdict, failure_class, taken_at, started_at, ended_at, isolation_level,
    isolation_means, server_version, rto_target, rto_measured, rto_predicted, rto_crosses_at, rpo_target, rpo_measured,
    source_size, checks_due, not_checked
) VALUES (
    %(run_id)s, %(database)s, %(backup_id)s, %(vault)s, %(rule)s, %(verdict)s, %(failure_class)s, %(taken_at)s,
    %(started_at)s, %(ended_at)s, %(isolation_level)s, %(isolation_means)s, %(server_version)s, %(rto_target)s,
    %(rto_measured)s, %(rto_predicted)s, %(rto_crosses_at)s, %(rpo_target)s, %(rpo_measured)s, %(source_size)s,
    %(checks_due)s, %(not_checked)s
)
